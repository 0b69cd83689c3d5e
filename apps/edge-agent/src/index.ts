// What the daemon offers to whoever starts it; what can be asked of one that runs is in @shoal/edge-agent/client.
export { runAgent, type RunOptions } from './agent/run.ts'
export { version } from './agent/version.ts'
