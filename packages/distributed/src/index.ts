// What @shoal/distributed offers everywhere; sockets, certificates and WebSocket servers are in @shoal/distributed/node.
export * from './clock.ts'
export * from './errors.ts'
export type { FrameOptions } from './frame/limits.ts'
export * from './transport/contract.ts'
export * from './transport/inProcess.ts'
export { connectPort, type Port } from './transport/messagePort.ts'
export type { StreamOptions } from './transport/opening.ts'
export { connectWebSocket } from './transport/webSocket.ts'
