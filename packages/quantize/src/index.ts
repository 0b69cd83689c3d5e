// The public names of @shoal/quantize.
export { storeFloat16, type Float16Options } from './float16.ts'
export { quantize, type QuantizeOptions } from './quantize.ts'
export type { RangeOptions } from './ranges.ts'
export { storedBytes } from './storedBytes.ts'
