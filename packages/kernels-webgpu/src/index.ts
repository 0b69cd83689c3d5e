// The public names of @shoal/kernels-webgpu.
export type { AdapterOptions } from './adapter.ts'
export type { CommandCounts } from './commands.ts'
export { ShaderError } from './errors.ts'
export type {
  DirectSchedule,
  MatmulSchedule,
  NarrowSchedule,
  TiledSchedule,
} from './kernels/matmul/schedule.ts'
export {
  type ConvolutionSizes,
  measureSchedules,
  type MeasureOptions,
  type ProductSizes,
} from './measureSchedules.ts'
export type { KernelTime } from './profile.ts'
export type { AdapterIdentity, Schedules } from './schedules.ts'
export {
  type OptionalFeature,
  webgpu,
  type WebGpuCounts,
  type WebGpuDevice,
  type WebGpuOptions,
} from './webgpu.ts'
