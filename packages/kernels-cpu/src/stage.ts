// What a kernel is made of: stages, functions over a range of units that may be cut anywhere, one after the other; or plain TypeScript.
import type { Func, ModuleBuilder } from './wasm/index.ts'
import type { CpuBuffer } from './buffer.ts'

/** Part of a kernel. The function's parameters are the addresses of the kernel's arguments, then the first unit and the one after the last. */
export interface Stage {
  readonly func: Func<readonly 'i32'[], 'none'>
  readonly units: number
  /** Elements computed per unit, roughly: what decides how units are grouped, and whether threads are worth waking. */
  readonly work: number
  /** Output elements, contiguous in row-major order, that one unit completes for good: what follows element by element may run on them at once. */
  readonly finishes?: number
}

/** Writes the stages of a kernel into a module. */
export type WriteStages = (module: ModuleBuilder) => readonly Stage[]

/** How a kernel computes: by code that is written into a module, or by a function of the host on buffers, and code on the same arguments `after` it. */
export type KernelCode =
  | { readonly kind: 'wasm'; readonly write: WriteStages }
  | {
      readonly kind: 'host'
      /** What computes it, for people. */
      readonly name: string
      readonly run: (args: readonly CpuBuffer[]) => void
      readonly after?: WriteStages
    }

/** Work that is done in one call: enough to make the call nothing, and short enough for threads to share. */
export const chunkWork = 32768

/** How a stage is cut: depends on the kernel alone, so that answers never depend on how many threads there are. */
export interface Chunks {
  /** Units of a chunk; the last may have fewer. */
  readonly grain: number
  readonly count: number
}

/** Cuts a stage into chunks of about equal work. */
export function chunksOf({ units, work }: Stage): Chunks {
  const grain = Math.max(1, Math.ceil(chunkWork / Math.max(1, work)))
  return { grain, count: Math.ceil(units / grain) }
}
