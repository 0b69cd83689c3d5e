// Reductions down columns: the points of the innermost kept axis lie side by side, and go down their terms together.
import type { Expr } from '@shoal/core'
import { dtypes, operands } from '@shoal/core'
import { i32, type Local, select, type Value } from '../wasm/index.ts'
import { accumulation, type Accumulation, blockTerms } from './accumulator.ts'
import { overBox, overUnits } from './odometer.ts'
import type { Pass } from './passes.ts'
import type { Scalar, ScalarType } from './representation.ts'
import { alongRow, Row } from './row.ts'
import { contextOf, keptAxes, reducedAxes, type Span, storeOnce, type Task } from './task.ts'
import { demote, type Vector4, width } from './vector.ts'

/** Columns that are one unit of work. */
const columnBlock = 64
/** Vectors of columns that go down together: their accumulators should stay in registers. */
const together = 4
/** The same where little is computed and memory is what takes long: the more of a row is read at once, the better, and accumulators in memory cost nothing. */
const wideTogether = columnBlock / width
/** Operations of a term, loads counted in, that are little. */
const fewOperations = 4

/** The box of the units of a kernel that goes down columns. */
export function columnBox(kept: readonly number[]): number[] {
  return [...kept.slice(0, -1), Math.ceil(kept.at(-1)! / columnBlock)]
}

/** Some columns from their first term to the last. */
interface Columns {
  /** The position of the first of them. */
  readonly x: Local<'i32'>
  readonly kept: readonly Local<'i32'>[]
  readonly span: Span | undefined
}

/** What to do with columns: four at once, several times, or one. */
export interface ColumnVisitor {
  readonly vectors: (columns: Columns, vectors: number) => void
  readonly single: (columns: Columns) => void
}

/** Writes units [begin, end), one for each block of columns. */
export function writeColumns(task: Task): void {
  overColumns(task, undefined, {
    vectors: (columns, vectors) => finishVectors(task, columns, vectors),
    single: (columns) => finishOne(task, columns),
  })
}

/** Visits the columns of the units; `parts`: the innermost counter of a unit is a part of the terms, and this its span. */
export function overColumns(
  { writer, kernel, begin, end, passes }: Task,
  parts: { readonly count: number; readonly spanOf: (part: Local<'i32'>) => Span } | undefined,
  { vectors, single }: ColumnVisitor,
): void {
  const { f } = writer
  const kept = keptAxes(kernel)
  const columns = kept.at(-1)!
  const reductions = Math.max(1, ...passes.map((pass) => pass.reductions.length))
  const narrow = Math.max(1, Math.floor(together / reductions))
  const wide = reductions === 1 && passes.every(isLight) ? [wideTogether] : []
  overUnits(f, [...columnBox(kept), ...(parts ? [parts.count] : [])], begin, end, (counters) => {
    const span = parts && parts.spanOf(counters.at(-1)!)
    const outer = counters.slice(0, kept.length - 1)
    const first = f.let(i32.mul(counters[kept.length - 1]!, columnBlock))
    const beyond = f.let(i32.add(first, columnBlock))
    const last = f.let(select(i32.gt_u(beyond, columns), i32.const(columns), beyond))
    const visit = (x: Local<'i32'>): Columns => ({ x, kept: outer, span })
    const rest = [...wide, narrow].reduce((from, many) => {
      const round = many * width
      const whole = f.let(i32.add(from, i32.and(i32.sub(last, from), -round)))
      f.forRange(from, whole, round, (x) => vectors(visit(x), many))
      return whole
    }, first)
    alongRow(
      writer,
      rest,
      last,
      (x) => vectors(visit(x), 1),
      (x) => single(visit(x)),
    )
  })
}

/** Does a pass do little but read? */
function isLight({ reductions, stores }: Pass): boolean {
  const seen = new Set<Expr>()
  const stack = reductions.map(({ term }) => term)
  for (let e = stack.pop(); e; e = stack.pop()) {
    if (seen.has(e)) continue
    seen.add(e)
    if (e.op !== 'load') stack.push(...operands(e))
  }
  return stores.length === 0 && seen.size <= fewOperations
}

function finishVectors(task: Task, columns: Columns, vectors: number): void {
  const { writer, kernel, passes, once } = task
  const { f } = writer
  const finished: Vector4[][] = Array.from({ length: vectors }, () => [])
  for (const pass of passes) {
    const running = downVectors(task, pass, columns, vectors, finished)
    pass.reductions.forEach(({ number }, r) =>
      finished.forEach((of, v) => {
        const { sums, totals, blocks } = running[r]!
        of[number] = sums.wide ? demote(totals[v]!).map((part) => f.let(part)) : blocks[v]!
      }),
    )
  }
  const inner = keptAxes(kernel).length - 1
  const row = new Row(contextOf(task, [...columns.kept, columns.x], inner), [], once, true)
  finished.forEach((of, v) => void row.vectors([], columns.x, v * width, of))
}

/** A reduction of some vectors of columns under way. */
interface VectorSums {
  readonly sums: Accumulation
  readonly blocks: readonly (readonly Local<'v128'>[])[]
  readonly totals: readonly (readonly Local<'v128'>[])[]
}

/** One pass down some vectors of columns. */
export function downVectors(
  task: Task,
  { reductions, stores }: Pass,
  { x, kept, span }: Columns,
  vectors: number,
  finished: readonly (readonly Vector4[])[],
): VectorSums[] {
  const { writer, kernel } = task
  const inner = keptAxes(kernel).length - 1
  const terms = reductions.map(({ term }) => term)
  const running = reductions.map(({ combine, dtype }) => {
    const sums = accumulation(writer, combine, dtypes[dtype].compute)
    const blocks = Array.from({ length: vectors }, () => sums.block())
    return { sums, blocks, totals: sums.wide ? blocks.map(() => sums.total()) : [] }
  })
  downTerms(
    task,
    span,
    (counters) => {
      const row = new Row(contextOf(task, [...kept, x, ...counters], inner), terms, stores, true)
      for (let v = 0; v < vectors; v++) {
        const values = row.vectors(terms, x, v * width, finished[v])
        running.forEach(({ sums, blocks }, r) => sums.add(blocks[v]!, values[r]!))
      }
    },
    () => {
      for (const { sums, blocks, totals } of running)
        totals.forEach((total, v) => {
          sums.collect(total, blocks[v]!)
          sums.clear(blocks[v]!)
        })
    },
  )
  return running
}

function finishOne(task: Task, columns: Columns): void {
  const finished: Scalar[] = []
  for (const pass of task.passes) {
    const running = downOne(task, pass, columns, finished)
    pass.reductions.forEach(({ number }, r) => {
      const { sums, rest } = running[r]!
      finished[number] = sums.narrow(rest)
    })
  }
  storeOnce(task, [...columns.kept, columns.x], finished)
}

/** One pass down one column. */
export function downOne(
  task: Task,
  { reductions, stores }: Pass,
  { x, kept, span }: Columns,
  finished: readonly Scalar[],
): { readonly sums: Accumulation; readonly rest: Local<ScalarType> }[] {
  const { writer, kernel } = task
  const inner = keptAxes(kernel).length - 1
  const terms = reductions.map(({ term }) => term)
  const running = reductions.map(({ combine, dtype }) => {
    const sums = accumulation(writer, combine, dtypes[dtype].compute)
    return { sums, rest: sums.rest() }
  })
  downTerms(task, span, (counters) => {
    const row = new Row(contextOf(task, [...kept, x, ...counters], inner), terms, stores, false)
    const values = row.scalars(terms, x, finished)
    running.forEach(({ sums, rest }, r) => sums.addRest(rest, values[r]!))
  })
  return running
}

/** All terms in order, or those of a span of the outermost reduced axis; `collect` after each block of them. */
function downTerms(
  { writer: { f }, kernel }: Task,
  span: Span | undefined,
  term: (counters: readonly Local<'i32'>[]) => void,
  collect: () => void = () => {},
): void {
  const sizes = reducedAxes(kernel)
  const inside = (middle: readonly Local<'i32'>[], begin: Value<'i32'>, end: Value<'i32'>): void => {
    f.forRange(begin, end, blockTerms, (from) => {
      const beyond = f.let(i32.add(from, blockTerms))
      const to = f.let(select(i32.gt_u(beyond, end), end, beyond))
      f.forRange(from, to, 1, (last) => term([...middle, last]))
      collect()
    })
  }
  const whole = (middle: readonly Local<'i32'>[]): void =>
    inside(middle, i32.const(0), f.let(i32.const(sizes.at(-1)!)))
  if (!span) overBox(f, sizes.slice(0, -1), whole)
  else if (sizes.length === 1) inside([], span.from, span.to)
  else f.forRange(span.from, span.to, 1, (first) => overBox(f, sizes.slice(0, -1), whole, [first]))
}
