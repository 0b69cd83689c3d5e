// Reductions along rows: the terms of one point of the kept axes lie side by side.
import { dtypes } from '@shoal/core'
import { i32, type Local, select, type Value } from '../wasm/index.ts'
import { accumulation, type Accumulation, blockTerms } from './accumulator.ts'
import { overBox, overUnits } from './odometer.ts'
import type { Pass } from './passes.ts'
import type { Scalar, ScalarType } from './representation.ts'
import { alongRow, Row } from './row.ts'
import { contextOf, keptAxes, reducedAxes, type Span, storeOnce, type Task } from './task.ts'
import { width } from './vector.ts'

/** Vectors of terms that are added side by side. */
const together = 4

/** A reduction under way. */
interface Sums {
  readonly sums: Accumulation
  readonly total: readonly Local<'v128'>[]
  readonly rest: Local<ScalarType>
  readonly blocks: readonly (readonly Local<'v128'>[])[]
}

/** Writes units [begin, end), one for each point of the kept axes. */
export function writeRows(task: Task): void {
  const { writer, kernel, passes, begin, end } = task
  overUnits(writer.f, keptAxes(kernel), begin, end, (kept) => {
    const finished: Scalar[] = []
    for (const pass of passes) {
      const running = alongTerms(task, pass, kept, finished)
      pass.reductions.forEach(({ number }, i) => {
        const { sums, total, rest } = running[i]!
        finished[number] = sums.narrow(sums.join(total, rest))
      })
    }
    storeOnce(task, kept, finished)
  })
}

/** One pass over the reduced axes, or over a span of the outermost of them. */
export function alongTerms(
  task: Task,
  { reductions, stores }: Pass,
  kept: readonly Local<'i32'>[],
  finished: readonly Scalar[],
  span?: Span,
): Sums[] {
  const { writer, kernel } = task
  const { f } = writer
  const inner = kernel.axes.length - 1
  const length = kernel.axes[inner]!
  const vector = length >= width
  const terms = reductions.map(({ term }) => term)
  // All accumulators together should stay in registers.
  const count =
    length >= 2 * together * width ? Math.max(1, Math.floor(together / Math.max(1, terms.length))) : 1
  const running = reductions.map(({ combine, dtype }) => {
    const sums = accumulation(writer, combine, dtypes[dtype].compute)
    return {
      sums,
      total: sums.total(),
      rest: sums.rest(),
      blocks: Array.from({ length: count }, () => sums.block()),
    }
  })
  const round = count * width
  const four = (row: Row, x: Local<'i32'>, block: number): void => {
    const values = row.vectors(terms, x, block * width)
    running.forEach(({ sums, blocks }, i) => sums.add(blocks[block]!, values[i]!))
  }
  const one = (row: Row, x: Local<'i32'>): void => {
    const values = row.scalars(terms, x)
    running.forEach(({ sums, rest }, i) => sums.addRest(rest, values[i]!))
  }
  const segment = (row: Row, from: Value<'i32'>, to: Value<'i32'>): void => {
    let begin = from
    if (vector && count > 1) {
      const whole = f.let(i32.add(from, i32.mul(i32.div_u(i32.sub(to, from), round), round)))
      f.forRange(from, whole, round, (x) => {
        for (let block = 0; block < count; block++) four(row, x, block)
      })
      begin = whole
    }
    alongRow(writer, begin, to, vector ? (x) => four(row, x, 0) : undefined, (x) => one(row, x))
    if (!vector) return
    for (const { sums, total, blocks } of running)
      for (const block of blocks) {
        sums.collect(total, block)
        sums.clear(block)
      }
  }
  const sizes = reducedAxes(kernel).slice(0, -1)
  const inside = (
    middle: readonly Local<'i32'>[],
    from: Value<'i32'>,
    to: Value<'i32'>,
    most: number,
  ): void => {
    const row = new Row(contextOf(task, [...kept, ...middle], inner, finished), terms, stores, vector)
    const segmentLength = blockTerms * round
    if (most <= segmentLength || terms.length === 0) return segment(row, from, to)
    f.forRange(from, to, segmentLength, (start) => {
      const beyond = f.let(i32.add(start, segmentLength))
      segment(row, start, f.let(select(i32.gt_u(beyond, to), to, beyond)))
    })
  }
  const whole = (middle: readonly Local<'i32'>[]): void =>
    inside(middle, f.let(i32.const(0)), f.let(i32.const(length)), length)
  if (!span) overBox(f, sizes, whole)
  else if (sizes.length === 0) inside([], span.from, span.to, length)
  else f.forRange(span.from, span.to, 1, (first) => overBox(f, sizes, whole, [first]))
  return running
}
