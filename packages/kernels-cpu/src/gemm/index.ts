// Matrix products: whole ones by `emitMatmul`, register blocks for other kernels (convolution) by `microKernel`.
export { emitMatmul, type MatmulFunction } from './matmul.ts'
export { type MicroKernelSpec, microKernel } from './microKernel.ts'
export type { MatmulOptions, MatmulSpec } from './plan.ts'
export { chooseTile, type Tile } from './tile.ts'
