// What a kernel of this device is made of: stages, each one dispatch of a shader over some of the launch's buffers.
import type { DType } from '@shoal/core'
import type { Schedules } from './schedules.ts'
import type { Shader } from './wgsl/shader.ts'

/** How one stage uses one argument of the launch. */
export interface BufferUse {
  /** Position among the arguments. */
  readonly arg: number
  readonly dtype: DType
  /** Elements. */
  readonly length: number
  /** What is written may be read as well. */
  readonly access: 'read' | 'write'
  /** Read and written four elements at a time (`load4`, `store4`), of which there are a multiple of four. Default 1. */
  readonly vector?: 1 | 4
  /**
   * Elements of fewer than 4 bytes share words. They are stored by atomic operations, but for float16 where the device has it, so that neighbours may
   * be stored by other lanes at the same time; `words` says that this stage reads or stores whole words only (`loadWord`, `storeWord`), each stored by one lane.
   */
  readonly words?: boolean
}

/**
 * One dispatch. A workgroup is `lanes` invocations; in the text `group` and `lane` (both i32) say which one it is.
 * Stages of a kernel run one after the other, each with what those before have written.
 */
export interface Stage {
  readonly buffers: readonly BufferUse[]
  /** Workgroups; any number. Without any, nothing is dispatched. */
  readonly groups: number
  /** Invocations of a workgroup: at most `limits.lanes`. */
  readonly lanes: number
  /** Two arguments that have nothing left to be done when they are one buffer: the copy that a change in place does without. */
  readonly unlessSame?: readonly [number, number]
  /** Writes the text. `shader.memory(i)` is `buffers[i]`. Equal stages must write equal texts: pipelines are cached by them. */
  readonly write: (shader: Shader) => void
}

/** A kernel as its stages. */
export interface KernelCode {
  readonly stages: readonly Stage[]
  /** Scratch memory: the last argument of the launch where it is not 0. */
  readonly workspaceBytes: number
  /** How it runs, in a few words for people. */
  readonly schedule?: string
}

/** What kernels may count on, and what they are written for. */
export interface Target {
  /** Invocations of a workgroup at most. */
  readonly lanes: number
  /** Bytes of workgroup memory at most. */
  readonly workgroupBytes: number
  /** Buffers of a stage at most. */
  readonly maxBuffers: number
  /** Features of the device, and of WGSL. */
  readonly features: ReadonlySet<string>
  /** Schedules that were measured on the adapter. Default: kernels choose by themselves. */
  readonly schedules?: Schedules
}
