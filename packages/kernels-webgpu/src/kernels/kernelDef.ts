// A hand-written kernel: which types it takes, and the stages that it becomes.
import type { Signature } from '@shoal/core'
import type { Output } from '../output.ts'
import type { ScheduleKind } from '../schedules.ts'
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

/** What can be tried to make a kernel faster. */
export interface Tuning {
  /** Under which kind the schedules are kept. */
  readonly kind: ScheduleKind
  /** The class of sizes that runs as this signature does, and the schedules worth trying; `compile` follows `target.schedules[kind][name]`. */
  candidates(
    signature: Signature,
    target: Target,
  ): { readonly name: string; readonly schedules: readonly object[] }
}

/** A kernel of one op. */
export interface KernelDef {
  readonly op: string
  /** Does its last stage store every element of its one output through `places.output`, so that an epilogue can be fused to it? Default false. */
  readonly epilogue?: boolean
  /** Does it take these types and attributes? Their dtypes are ones that the device has. Default: all. */
  supports?(signature: Signature): boolean
  /** Absent: there is one way only. */
  readonly tuning?: Tuning
  compile(signature: Signature, target: Target, places: Places): KernelCode
}
