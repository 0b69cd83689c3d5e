// What the examples have in common.
export * from './arguments.ts'
export * from './datasets.ts'
export * from './devices.ts'
export * from './digits.ts'
export * from './digitSets.ts'
export * from './interruption.ts'
export * from './judge.ts'
export * from './layers.ts'
