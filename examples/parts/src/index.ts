// What the examples have in common.
export * from './arguments.ts'
export * from './datasets.ts'
export * from './devices.ts'
export * from './interruption.ts'
export * from './judge.ts'
