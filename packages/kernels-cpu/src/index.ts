// The public names of @shoal/kernels-cpu.
export { cpu, type CpuDevice, type CpuOptions } from './cpu.ts'
export type { HostKernel, HostKernels } from './hostKernels.ts'
export { type Arithmetic, measureTuning, type Tuning } from './gemm/tuning.ts'
export type { MeasuredTile, Tile } from './gemm/tile.ts'
