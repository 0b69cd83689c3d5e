// The public names of @shoal/kernels-blas.
export { blas, findBlas } from './blas.ts'
export type { BlasOptions } from './library.ts'
