// Kernels without a reduction: rows of the innermost loop, cut into blocks, four elements at a time.
import type { FusedKernel } from '@shoal/core'
import { i32, select } from '../wasm/index.ts'
import { overUnits } from './odometer.ts'
import { alongRow, Row } from './row.ts'
import { contextOf, type Task } from './task.ts'
import { width } from './vector.ts'

/** Elements of a row that are one unit of work; shorter rows are one unit each. */
const blockLength = 2048

/** How the work of a kernel is cut: units are counted over a row-major box of this shape. */
export interface MapPlan {
  /** Sizes of all loops but the innermost, then the blocks of the innermost. */
  readonly box: readonly number[]
  readonly length: number
  readonly block: number
}

/** Plans a kernel without a reduction. */
export function planMap({ axes }: FusedKernel): MapPlan {
  const length = axes.at(-1) ?? 1
  const block = length > 2 * blockLength ? blockLength : Math.max(1, length)
  return { box: [...axes.slice(0, -1), Math.ceil(length / block)], length, block }
}

/** Writes elements [begin, end) of a kernel with one loop or none. */
export function writeElements(task: Task): void {
  const { writer, passes, begin, end } = task
  for (const { stores } of passes) {
    const row = new Row(contextOf(task, [], 0), [], stores, true)
    alongRow(
      writer,
      begin,
      end,
      (x) => void row.vectors([], x),
      (x) => void row.scalars([], x),
    )
  }
}

/** Writes units [begin, end). */
export function writeMap(task: Task, { box, length, block }: MapPlan): void {
  const { writer, kernel, passes, begin, end } = task
  const { f } = writer
  const vector = length >= width
  overUnits(f, box, begin, end, (counters) => {
    const first = f.let(i32.mul(counters.at(-1)!, block))
    const beyond = f.let(i32.add(first, block))
    const last = f.let(select(i32.gt_u(beyond, length), i32.const(length), beyond))
    for (const { stores } of passes) {
      const outer = counters.slice(0, -1)
      const row = new Row(contextOf(task, outer, kernel.axes.length - 1), [], stores, vector)
      alongRow(
        writer,
        first,
        last,
        vector ? (x) => void row.vectors([], x) : undefined,
        (x) => void row.scalars([], x),
      )
    }
  })
}
