// The public names of @shoal/distributed.

export * from './cluster/index.ts'
export * from './placement/index.ts'
