// Matrix products: whole ones by `emitMatmul`, register blocks for other kernels (convolution) by `microKernel`.
export { emitMatmul, type Matmul, type MatmulFunction } from './matmul.ts'
export { type MicroKernel, type MicroKernelSpec, microKernel } from './microKernel.ts'
export type { MatmulOptions, MatmulSpec } from './plan.ts'
export { chooseTile, type Tile, type TileQuery } from './tile.ts'
