// What kernels may count on: the limits and features of a device, and what was measured on its adapter.
import type { Schedules } from './schedules.ts'
import type { Target } from './stage.ts'

/** @param features of the device, and of WGSL. */
export function targetOf(gpu: GPUDevice, features: ReadonlySet<string>, schedules?: Schedules): Target {
  const { limits } = gpu
  return {
    lanes: Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
    workgroupBytes: limits.maxComputeWorkgroupStorageSize,
    maxBuffers: limits.maxStorageBuffersPerShaderStage,
    features,
    ...(schedules && { schedules }),
  }
}
