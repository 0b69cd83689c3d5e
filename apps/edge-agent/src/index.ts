// The daemon as a library: a node that runs until it is told to end.
export { runAgent, type RunOptions } from './agent/run.ts'
