// Kernels with a reduction, in two forms: along rows, where the terms of one output lie side by side, and down columns, where outputs do.
import type { Expr, SimpleKernel } from '@shoal/core'
import { dtypes, E, mapExpr, operands } from '@shoal/core'
import { i32, type Local, select, type Value } from '../wasm/index.ts'
import { accumulation, blockTerms } from './accumulator.ts'
import { flatten, overBox, overUnits } from './odometer.ts'
import { storeScalar } from './representation.ts'
import { alongRow, Row, strideOf } from './row.ts'
import type { Writer } from './scalar.ts'
import { demote, type Vector4, width } from './vector.ts'
import { storeVector } from './vectorMemory.ts'

/** A kernel that reduces. */
export type ReducingKernel = SimpleKernel & Required<Pick<SimpleKernel, 'reduce'>>

/** Output columns that are one unit of work. */
const columnBlock = 64
/** Vectors of output columns that go down together, and of terms that are added side by side. */
const together = 4

/** How the work of a reduction is cut. */
export interface ReducePlan {
  readonly form: 'rows' | 'columns'
  readonly box: readonly number[]
}

/** Plans a reduction: down columns if the loads then walk through memory in smaller steps. */
export function planReduce(kernel: ReducingKernel): ReducePlan {
  const outer = kernel.axes.length - kernel.reduced
  const kept = kernel.axes.slice(0, outer)
  const columns = kept.at(-1) ?? 1
  const [across, along] = [scattered(kernel, outer - 1), scattered(kernel, kernel.axes.length - 1)]
  const better = across < along || (across === along && columns > (kernel.axes.at(-1) ?? 1))
  if (outer > 0 && columns >= width && better)
    return { form: 'columns', box: [...kept.slice(0, -1), Math.ceil(columns / columnBlock)] }
  return { form: 'rows', box: kept }
}

/** Loads that neither stay nor step to the next element along an axis. */
function scattered(kernel: SimpleKernel, axis: number): number {
  let count = 0
  const seen = new Set<Expr>()
  const stack = [kernel.body]
  for (let e = stack.pop(); e; e = stack.pop()) {
    if (seen.has(e)) continue
    seen.add(e)
    const stride = e.op === 'load' ? strideOf(e, axis, kernel) : 0
    if (stride !== 0 && stride !== 1) count++
    stack.push(...operands(e))
  }
  return count
}

/** Products of float32 are collected in float64, so that no factor rounds or overflows on the way. */
export function widenProducts(kernel: ReducingKernel): ReducingKernel {
  const { combine, dtype, epilogue } = kernel.reduce
  if (combine !== 'prod' || dtypes[dtype].compute !== 'float32') return kernel
  const narrowed = mapExpr(epilogue, (e) => (e.op === 'acc' ? E.cast(E.acc(0, 'float64'), 'float32') : e))
  return {
    ...kernel,
    body: E.cast(kernel.body, 'float64'),
    reduce: { combine, dtype: 'float64', epilogue: narrowed },
  }
}

/** A reduction over one term has a loop of its own all the same. */
export const withTerms = (kernel: ReducingKernel): ReducingKernel =>
  kernel.reduced > 0 ? kernel : { ...kernel, axes: [...kernel.axes, 1], reduced: 1 }

interface Task {
  readonly writer: Writer
  readonly kernel: ReducingKernel
  readonly plan: ReducePlan
  readonly inputs: readonly Local<'i32'>[]
  readonly output: Local<'i32'>
  readonly begin: Local<'i32'>
  readonly end: Local<'i32'>
}

/** Writes units [begin, end). */
export function writeReduce(task: Task): void {
  if (task.plan.form === 'rows') writeRows(task)
  else writeColumns(task)
}

function writeRows({ writer, kernel, plan, inputs, output, begin, end }: Task): void {
  const { f } = writer
  const { axes, reduced, body, reduce } = kernel
  const outer = axes.length - reduced
  const inner = axes.length - 1
  const length = axes[inner]!
  const { dtype } = kernel.output
  overUnits(f, plan.box, begin, end, (kept, unit) => {
    const sums = accumulation(writer, reduce.combine, dtypes[reduce.dtype].compute)
    const total = sums.total()
    const rest = sums.rest()
    const blocks = Array.from({ length: length >= 2 * together * width ? together : 1 }, () => sums.block())
    const round = blocks.length * width
    overBox(f, axes.slice(outer, inner), (middle) => {
      const row = new Row(
        { writer, kernel, inputs, counters: [...kept, ...middle], inner },
        [body],
        length >= width,
      )
      const segment = (from: Value<'i32'>, to: Value<'i32'>) => {
        if (length >= width) {
          const whole = f.let(i32.add(from, i32.mul(i32.div_u(i32.sub(to, from), round), round)))
          f.forRange(from, whole, round, (x) => {
            blocks.forEach((block, b) => sums.add(block, row.vector(body, x, b * width)))
          })
          from = whole
        }
        alongRow(
          writer,
          from,
          to,
          length >= width ? (x) => sums.add(blocks[0]!, row.vector(body, x)) : undefined,
          (x) => sums.addRest(rest, row.scalar(body, x)),
        )
        if (length < width) return
        for (const block of blocks) {
          sums.collect(total, block)
          sums.clear(block)
        }
      }
      const segmentLength = blockTerms * round
      if (length <= segmentLength) segment(i32.const(0), f.let(i32.const(length)))
      else
        f.forRange(0, length, segmentLength, (from) => {
          const beyond = f.let(i32.add(from, segmentLength))
          segment(from, f.let(select(i32.gt_u(beyond, length), i32.const(length), beyond)))
        })
    })
    const sum = sums.finish(total, rest)
    const epilogue = new Row({ writer, kernel, inputs, counters: kept, inner: -1 }, [reduce.epilogue], false)
    const value = f.let(epilogue.scalar(reduce.epilogue, i32.const(0), sum))
    f.do(storeScalar(f, dtype, i32.add(output, i32.mul(unit, dtypes[dtype].bytes)), value))
  })
}

function writeColumns(task: Task): void {
  const { writer, kernel, plan, begin, end } = task
  const { f } = writer
  const outer = kernel.axes.length - kernel.reduced
  const columns = kernel.axes[outer - 1]!
  overUnits(f, plan.box, begin, end, (counters) => {
    const first = f.let(i32.mul(counters.at(-1)!, columnBlock))
    const beyond = f.let(i32.add(first, columnBlock))
    const last = f.let(select(i32.gt_u(beyond, columns), i32.const(columns), beyond))
    const kept = counters.slice(0, -1)
    const round = together * width
    const whole = f.let(i32.add(first, i32.and(i32.sub(last, first), -round)))
    f.forRange(first, whole, round, (x) => downVectors(task, kept, x, together))
    alongRow(
      writer,
      whole,
      last,
      (x) => downVectors(task, kept, x, 1),
      (x) => downOne(task, kept, x),
    )
  })
}

/** Where output column `x` of the kept counters is stored. */
function placeOf({ kernel, output }: Task, kept: readonly Local<'i32'>[], x: Local<'i32'>): Value<'i32'> {
  const outer = kernel.axes.length - kernel.reduced
  const sizes = kernel.axes.slice(0, outer)
  return i32.add(output, i32.mul(flatten([...kept, x], sizes), dtypes[kernel.output.dtype].bytes))
}

/** `vectors` vectors of columns from the first term to the last. */
function downVectors(task: Task, kept: readonly Local<'i32'>[], x: Local<'i32'>, vectors: number): void {
  const { writer, kernel, inputs } = task
  const { f } = writer
  const { body, reduce } = kernel
  const inner = kernel.axes.length - kernel.reduced - 1
  const sums = accumulation(writer, reduce.combine, dtypes[reduce.dtype].compute)
  const blocks = Array.from({ length: vectors }, () => sums.block())
  const totals = sums.wide ? blocks.map(() => sums.total()) : []
  downTerms(
    task,
    (terms) => {
      const row = new Row({ writer, kernel, inputs, counters: [...kept, x, ...terms], inner }, [body], true)
      blocks.forEach((block, v) => sums.add(block, row.vector(body, x, v * width)))
    },
    () => {
      totals.forEach((total, v) => {
        sums.collect(total, blocks[v]!)
        sums.clear(blocks[v]!)
      })
    },
  )
  const epilogue = new Row({ writer, kernel, inputs, counters: [...kept, x], inner }, [reduce.epilogue], true)
  const place = f.let(placeOf(task, kept, x))
  blocks.forEach((block, v) => {
    const sum: Vector4 = sums.wide ? demote(totals[v]!).map((part) => f.let(part)) : block
    const value = epilogue.vector(reduce.epilogue, x, v * width, sum)
    storeVector(f, kernel.output.dtype, place, value, v * width * dtypes[kernel.output.dtype].bytes)
  })
}

/** One column from the first term to the last. */
function downOne(task: Task, kept: readonly Local<'i32'>[], x: Local<'i32'>): void {
  const { writer, kernel, inputs } = task
  const { f } = writer
  const { body, reduce } = kernel
  const inner = kernel.axes.length - kernel.reduced - 1
  const sums = accumulation(writer, reduce.combine, dtypes[reduce.dtype].compute)
  const rest = sums.rest()
  downTerms(
    task,
    (terms) => {
      const row = new Row({ writer, kernel, inputs, counters: [...kept, x, ...terms], inner }, [body], false)
      sums.addRest(rest, row.scalar(body, x))
    },
    () => {},
  )
  const epilogue = new Row(
    { writer, kernel, inputs, counters: [...kept, x], inner },
    [reduce.epilogue],
    false,
  )
  const value = epilogue.scalar(reduce.epilogue, x, sums.finish(sums.total(), rest))
  f.do(storeScalar(f, kernel.output.dtype, f.let(placeOf(task, kept, x)), f.let(value)))
}

/** All terms in order; `collect` after each block of them. */
function downTerms(
  { writer: { f }, kernel }: Task,
  term: (counters: readonly Local<'i32'>[]) => void,
  collect: () => void,
): void {
  const sizes = kernel.axes.slice(kernel.axes.length - kernel.reduced)
  const length = sizes.at(-1)!
  overBox(f, sizes.slice(0, -1), (middle) => {
    f.forRange(0, length, blockTerms, (from) => {
      const beyond = f.let(i32.add(from, blockTerms))
      const to = f.let(select(i32.gt_u(beyond, length), i32.const(length), beyond))
      f.forRange(from, to, 1, (last) => term([...middle, last]))
      collect()
    })
  })
}
