// What runs the graphs of a session: the devices of this process, or servers elsewhere.
import type { BoundGraph } from '../compile/bind.ts'
import type { NDArray } from '../ndarray.ts'
import type { Pass } from '../passes/pass.ts'
import type { VariableResource } from '../resource.ts'
import type { Awaitable, Device } from './device.ts'
import type { Program } from './program.ts'
import type { RunState } from './state.ts'

/** How a session wants its graphs compiled: see SessionOptions. */
export interface CompileOptions {
  readonly passes: Pass
  readonly fusion: boolean
  readonly maxActivationBytes?: number | undefined
  readonly softPlacement: boolean
  /** Told when a node runs on another device than it asked for, and when `maxActivationBytes` cannot be met. */
  readonly log: (line: string) => void
}

/** A compiled graph. One run at a time: its memory is planned for one. */
export interface Executable {
  /**
   * Checks before anything runs what can be known by then.
   * @throws UninitializedError; it must not be run or kept then, since it asks for values at every step, which the next one need not.
   */
  check(): void
  /** Runs everything and reads what was fetched. The first failure ends the rest. `feeds` come in the order of the bound graph's. */
  run(state: RunState, feeds: readonly NDArray[]): Awaitable<NDArray[]>
  /** Its programs on devices of this process, to be looked at. */
  readonly programs: readonly Program[]
  /** Gives all memory back. */
  free(): void
}

/** Where graphs are compiled and run, and where variables live. It belongs to one session, which closes it. */
export interface SessionTarget extends AsyncDisposable {
  /** Devices of this process; none where graphs run elsewhere. */
  readonly devices: readonly Device[]
  /** Makes a graph ready in which all sizes are known. */
  compile(bound: BoundGraph, options: CompileOptions): Awaitable<Executable>
  /** Which of these variables have a value? */
  initialized(variables: readonly VariableResource[]): Awaitable<readonly boolean[]>
  /** Sets a variable; one that was never used is made where its initial value would be made. @throws ShapeError or DTypeError when it does not fit. */
  write(variable: VariableResource, value: NDArray, options: CompileOptions): Awaitable<void>
  /** While it has more to do than it keeps up with, resolves when it has caught up. Left out: it always keeps up. */
  pace?(): Awaitable<unknown>
}
