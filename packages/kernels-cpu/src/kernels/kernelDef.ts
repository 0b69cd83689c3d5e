// A hand-written kernel: which types it takes, and the stages that it is written as. What has none is computed by core's reference kernels.
import type { Signature } from '@shoal/core'
import type { Tuning } from '../gemm/tuning.ts'
import type { Stage } from '../stage.ts'
import type { ModuleBuilder } from '../wasm/index.ts'

/** What kernels are written for. */
export interface KernelOptions {
  /** May multiply-add round once? */
  readonly relaxed: boolean
  /** What register blocks of matrix products cost on this machine, where it was told. */
  readonly tuning?: Tuning | undefined
  /** Threads that share the work. Default 1. What is computed does not depend on it, only how it is divided. */
  readonly threads?: number | undefined
}

/** A kernel that was made for one signature. */
export interface CompiledKernel {
  /** Scratch memory, given as the last argument where it is not 0. */
  readonly workspaceBytes: number
  /** Writes the kernel into a module. Equal kernels of a module are to be written once. */
  readonly write: (module: ModuleBuilder) => readonly Stage[]
  /** Memory that is filled once from the signature's constant inputs, and given as the very last argument. Absent: none. */
  readonly prepared?: PreparedMemory
}

/** Memory that a kernel keeps from launch to launch. */
export interface PreparedMemory {
  readonly bytes: number
  /** Positions of the inputs that it stands for: stages read these no more. */
  readonly replaces: ReadonlySet<number>
  /** Writes what fills it; parameters of the stages are the addresses of the inputs, then of the memory. */
  readonly write: (module: ModuleBuilder) => readonly Stage[]
}

/** What is prepared stands for the second input: the weights. */
export const weightsReplaced: ReadonlySet<number> = new Set([1])

/** A kernel of one op. */
export interface KernelDef {
  readonly op: string
  /** Does it take these types and attributes? Others go to the reference kernel. */
  supports(signature: Signature): boolean
  compile(signature: Signature, options: KernelOptions): CompiledKernel
}

/** A text that is equal for equal signatures. */
export const signatureKey = (
  op: string,
  { inputs, outputs, attrs }: Signature,
  { relaxed }: KernelOptions,
): string => `${op} ${relaxed} ${JSON.stringify([inputs, outputs, attrs])}`
