// The suite for transports, and the proxy that its connections may go through. They need Node: the other suites run in browsers as well.
export { transportSuite } from './transportSuite.ts'
export { openProxy, type Proxy } from './transportProxy.ts'
export type { MakePair, Pair, PairOptions, SuiteConnection, TransportClaims } from './transportContract.ts'
