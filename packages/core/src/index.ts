// The public names of @shoal/core.
export * from './dtype.ts'
export * from './errors.ts'
export * from './ndarray.ts'
export * from './shape.ts'
