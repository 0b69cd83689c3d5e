// Matrix products: whole ones by `planMatmul`, register blocks for other kernels (convolution) by `microKernel`.
export { planMatmul } from './matmul.ts'
export { type MicroKernelSpec, microKernel } from './microKernel.ts'
export type { MatmulOptions, MatmulSpec, ProductStage } from './product.ts'
export { chooseTile, type Tile } from './tile.ts'
