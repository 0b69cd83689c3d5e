// The cluster's description: which tasks there are, where they are, and which of them this process is.
export * from './clusterError.ts'
export * from './clusterSpec.ts'
export * from './deviceFilters.ts'
export * from './serverDef.ts'
export * from './tfConfig.ts'
