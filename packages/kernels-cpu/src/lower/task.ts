// What a form of loop nest is written with: the kernel in passes, and the parameters of the function.
import type { FusedKernel } from '@shoal/core'
import { i32, type Local } from '../wasm/index.ts'
import type { Passes } from './passes.ts'
import { Row, type RowContext } from './row.ts'
import type { Scalar } from './representation.ts'
import type { Writer } from './scalar.ts'

/** A kernel to be written for units [begin, end). */
export interface Task extends Passes {
  readonly writer: Writer
  readonly inputs: readonly Local<'i32'>[]
  readonly outputs: readonly Local<'i32'>[]
  readonly begin: Local<'i32'>
  readonly end: Local<'i32'>
}

/** Part of an axis. */
export interface Span {
  readonly from: Local<'i32'>
  readonly to: Local<'i32'>
}

/** The axes of a kernel that are not reduced. */
export const keptAxes = ({ axes, reduced }: FusedKernel): readonly number[] =>
  axes.slice(0, axes.length - reduced)

/** The axes of a kernel that are reduced. */
export const reducedAxes = ({ axes, reduced }: FusedKernel): readonly number[] =>
  axes.slice(axes.length - reduced)

/** Where the loops of a task stand. */
export function contextOf(
  { writer, kernel, inputs, outputs }: Task,
  counters: RowContext['counters'],
  inner: number,
  finished?: readonly (Scalar | undefined)[],
): RowContext {
  return { writer, kernel, inputs, outputs, counters, inner, ...(finished && { finished }) }
}

/** Stores what is stored once at a point of the kept axes. */
export function storeOnce(task: Task, kept: RowContext['counters'], finished: readonly Scalar[]): void {
  if (task.once.length === 0) return
  new Row(contextOf(task, kept, -1), [], task.once, false).scalars([], i32.const(0), finished)
}
