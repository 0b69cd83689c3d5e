// Replication: how several devices train one model.
export * from './asyncReplicas.ts'
export * from './inGraph.ts'
export * from './localSgd.ts'
export type { Applies } from './shards.ts'
export * from './syncReplicas.ts'
