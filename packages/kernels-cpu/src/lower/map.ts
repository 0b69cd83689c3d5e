// Kernels without a reduction: rows of the output, cut into blocks, four elements at a time.
import type { SimpleKernel } from '@shoal/core'
import { dtypes } from '@shoal/core'
import { i32, type Local, select, type Value } from '../wasm/index.ts'
import { flatten, overUnits } from './odometer.ts'
import { storeScalar } from './representation.ts'
import { alongRow, Row } from './row.ts'
import type { Writer } from './scalar.ts'
import { width } from './vector.ts'
import { storeVector } from './vectorMemory.ts'

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
export function planMap({ axes }: SimpleKernel): MapPlan {
  const length = axes.at(-1) ?? 1
  const block = length > 2 * blockLength ? blockLength : Math.max(1, length)
  return { box: [...axes.slice(0, -1), Math.ceil(length / block)], length, block }
}

/** Writes units [begin, end). */
export function writeMap(
  writer: Writer,
  kernel: SimpleKernel,
  { box, length, block }: MapPlan,
  inputs: readonly Local<'i32'>[],
  output: Local<'i32'>,
  begin: Local<'i32'>,
  end: Local<'i32'>,
): void {
  const { f } = writer
  const { dtype } = kernel.output
  const { bytes } = dtypes[dtype]
  const sizes = kernel.axes.slice(0, -1)
  const vector = length >= width
  overUnits(f, box, begin, end, (counters) => {
    const first = f.let(i32.mul(counters.at(-1)!, block))
    const beyond = f.let(i32.add(first, block))
    const last = f.let(select(i32.gt_u(beyond, length), i32.const(length), beyond))
    const outer = counters.slice(0, -1)
    const row = new Row(
      { writer, kernel, inputs, counters: outer, inner: sizes.length },
      [kernel.body],
      vector,
    )
    const start = f.let(i32.add(output, i32.mul(flatten(outer, sizes), length * bytes)))
    const place = (x: Value<'i32'>) => i32.add(start, i32.mul(x, bytes))
    const four = (x: Local<'i32'>) => storeVector(f, dtype, place(x), row.vector(kernel.body, x))
    alongRow(writer, first, last, vector ? four : undefined, (x) => {
      f.do(storeScalar(f, dtype, place(x), f.let(row.scalar(kernel.body, x))))
    })
  })
}
