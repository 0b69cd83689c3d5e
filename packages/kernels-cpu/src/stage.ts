// A stage is one function over a range of units that may be cut anywhere; a kernel is a few stages, one after the other.
import type { Func } from './wasm/index.ts'

/** Part of a kernel. The function's parameters are the addresses of the kernel's arguments, then the first unit and the one after the last. */
export interface Stage {
  readonly func: Func<readonly 'i32'[], 'none'>
  readonly units: number
  /** Elements computed per unit, roughly: what decides whether threads are worth waking. */
  readonly work: number
}
