// A hand-written kernel: which types it takes, and the stages that it becomes.
import type { Signature } from '@shoal/core'
import type { Output } from '../output.ts'
import type { KernelCode, Target } from '../stage.ts'

/** Where a kernel finds what it works on. Input `i` (without shape-only ones) is argument `i`. */
export interface Places {
  /** The first output. Kernels with several have the others behind it, at `firstOutput + 1` and so on. */
  readonly output: Output
  /** The argument that the first output is, unless there is an epilogue. */
  readonly firstOutput: number
  /** The argument that scratch memory is, if the kernel asks for some. */
  readonly workspace: number
}

/** A kernel of one op. */
export interface KernelDef {
  readonly op: string
  /** Does its last stage store every element of its one output through `places.output`, so that an epilogue can be fused to it? Default false. */
  readonly epilogue?: boolean
  /** Does it take these types and attributes? Their dtypes are ones that the device has. Default: all. */
  supports?(signature: Signature): boolean
  compile(signature: Signature, target: Target, places: Places): KernelCode
}
