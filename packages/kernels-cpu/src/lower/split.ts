// Reductions of much into few: the terms are cut into parts that threads can share, and the parts are joined in a second stage.
import type { DType } from '@shoal/core'
import { dtypes, sizeOf } from '@shoal/core'
import { i32, type Local, select, type Value } from '../wasm/index.ts'
import { accumulation, type Accumulation } from './accumulator.ts'
import { columnBox, downOne, downVectors, overColumns } from './columns.ts'
import { flatten, overUnits } from './odometer.ts'
import type { Passes } from './passes.ts'
import { loadScalar, type Scalar, storeScalar } from './representation.ts'
import { alongTerms } from './rows.ts'
import { keptAxes, reducedAxes, type Span, storeOnce, type Task } from './task.ts'
import { width } from './vector.ts'
import { storeVector } from './vectorMemory.ts'

/** How terms are cut: `count` parts of `step` positions of the outermost reduced axis. It depends on sizes alone, so answers do not depend on threads. */
export interface Parts {
  readonly form: 'rows' | 'columns'
  readonly step: number
  readonly count: number
  /** Units of the first stage: the points or columns of the kept axes, then the parts. */
  readonly box: readonly number[]
  /** Where the parts of each reduction begin in the workspace. */
  readonly offsets: readonly number[]
  readonly workspaceBytes: number
}

/** With this many units, or less work in all, there is nothing to gain. */
const enoughUnits = 8
const worthSplitting = 65536
/** Elements of a part, and parts, about. */
const partWork = 16384
const mostParts = 256

/** The parts of a kernel; undefined where it is better left whole. */
export function planParts({ kernel, passes }: Passes, form: Parts['form']): Parts | undefined {
  const [pass] = passes
  const kept = keptAxes(kernel)
  const box = form === 'rows' ? kept : columnBox(kept)
  const numeric = pass?.reductions.every(({ dtype }) => ['float32', 'float64', 'int32'].includes(dtype))
  if (!numeric || passes.length !== 1 || pass!.reductions.length === 0) return undefined
  if (sizeOf(box) >= enoughUnits || sizeOf(kernel.axes) < worthSplitting) return undefined
  const length = reducedAxes(kernel)[0]!
  const unitWork = sizeOf(kernel.axes) / sizeOf(box) / length
  const step = Math.max(Math.ceil(partWork / unitWork), Math.ceil(length / mostParts))
  const count = Math.ceil(length / step)
  if (count < 2) return undefined
  const offsets: number[] = []
  let workspaceBytes = 0
  for (const { combine, dtype } of pass!.reductions) {
    offsets.push(workspaceBytes)
    workspaceBytes += Math.ceil((sizeOf(kept) * count * partBytes(combine, dtype)) / 16) * 16
  }
  return { form, step, count, box: [...box, count], offsets, workspaceBytes }
}

const partBytes = (combine: string, dtype: DType): number =>
  dtype === 'float32' && combine !== 'sum' ? 4 : dtype === 'int32' ? 4 : 8

/** Writes units [begin, end) of the first stage. */
export function writeParts(task: Task, parts: Parts, workspace: Local<'i32'>): void {
  const { writer, kernel, begin, end } = task
  const { f } = writer
  const pass = task.passes[0]!
  const kept = keptAxes(kernel)
  const points = sizeOf(kept)
  const length = reducedAxes(kernel)[0]!
  const spanOf = (part: Local<'i32'>): Span => {
    const from = f.let(i32.mul(part, parts.step))
    const beyond = f.let(i32.add(from, parts.step))
    return { from, to: f.let(select(i32.gt_u(beyond, length), i32.const(length), beyond)) }
  }
  const place = (part: Local<'i32'>, counters: readonly Local<'i32'>[], reduction: number, bytes: number) => {
    const flat = i32.add(i32.mul(part, points), flatten(counters, kept))
    return f.let(i32.add(i32.add(workspace, parts.offsets[reduction]!), i32.mul(flat, bytes)))
  }
  if (parts.form === 'rows')
    return overUnits(f, parts.box, begin, end, (counters) => {
      const part = counters.at(-1)!
      const point = counters.slice(0, -1)
      alongTerms(task, pass, point, [], spanOf(part)).forEach(({ sums, total, rest }, r) => {
        const { totalDType } = sums
        const address = place(part, point, r, dtypes[totalDType].bytes)
        f.do(storeScalar(f, totalDType, address, f.let(sums.join(total, rest))))
      })
    })
  let part: Local<'i32'>
  overColumns(
    task,
    { count: parts.count, spanOf: (of) => spanOf((part = of)) },
    {
      vectors: (columns, vectors) =>
        downVectors(task, pass, columns, vectors, []).forEach(({ sums, blocks, totals }, r) => {
          const { bytes } = dtypes[sums.totalDType]
          const address = place(part, [...columns.kept, columns.x], r, bytes)
          for (let v = 0; v < vectors; v++)
            storeVector(f, sums.totalDType, address, sums.wide ? totals[v]! : blocks[v]!, v * width * bytes)
        }),
      single: (columns) =>
        downOne(task, pass, columns, []).forEach(({ sums, rest }, r) => {
          const address = place(part, [...columns.kept, columns.x], r, dtypes[sums.totalDType].bytes)
          f.do(storeScalar(f, sums.totalDType, address, rest))
        }),
    },
  )
}

/** Writes units [begin, end) of the second stage, one for each point of the kept axes. */
export function writeJoin(task: Task, parts: Parts, workspace: Local<'i32'>): void {
  const { writer, kernel, begin, end } = task
  const { f } = writer
  const kept = keptAxes(kernel)
  const points = sizeOf(kept)
  overUnits(f, kept, begin, end, (counters, unit) => {
    const finished = task.passes[0]!.reductions.map(({ combine, dtype }, r): Scalar => {
      const sums: Accumulation = accumulation(writer, combine, dtypes[dtype].compute)
      const { bytes } = dtypes[sums.totalDType]
      const total = sums.rest()
      const first = f.let(i32.add(i32.add(workspace, parts.offsets[r]!), i32.mul(unit, bytes)))
      f.forRange(0, parts.count, 1, (part) => {
        const address: Value<'i32'> = i32.add(first, i32.mul(part, points * bytes))
        sums.addPart(total, f.let(loadScalar(f, sums.totalDType, address)))
      })
      return sums.narrow(total)
    })
    storeOnce(task, counters, finished)
  })
}
