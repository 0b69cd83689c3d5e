// What runs where: variables onto parameter servers by rule, and a whole graph by what its nodes cost.
export * from './machine.ts'
export * from './placeByCost.ts'
export * from './psStrategy.ts'
export * from './replicaDeviceSetter.ts'
export * from './measuredTimes.ts'
