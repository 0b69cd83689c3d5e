// Weighted sums of gradients on the host, in float32 or wider: of whole tensors, or of rows by their index.
import type { DType } from '../dtype.ts'
import { RunError } from '../errors.ts'
import { fromBfloat16Bits, fromFloat16Bits, toBfloat16Bits, toFloat16Bits } from '../half.ts'
import { NDArray } from '../ndarray.ts'
import type { GradientType } from '../resource.ts'
import type { Size } from '../shape.ts'
import { sizeOf } from '../shape.ts'

/** The sum of some gradients of one type. A gradient is one array, or values and indices where it comes as rows. */
export interface GradientSum {
  /** How many arrays a gradient is, and its mean. */
  readonly width: 1 | 2
  /** @throws RunError for one that would not fit; nothing is changed by then. */
  check(gradient: readonly NDArray[]): void
  add(gradient: readonly NDArray[], weight: number): void
  /** The sum divided by `weight`; zeros where that is 0. */
  mean(weight: number): NDArray[]
  clear(): void
}

/** A sum for gradients of a type. */
export const gradientSum = (type: GradientType): GradientSum =>
  type.rows === undefined ? new DenseSum(type) : new RowSum(type, type.rows)

type Wide = Float32Array | Float64Array

/** Memory for sums: 16 bits are too few to add up in. */
const wideArray = (dtype: DType, length: number): Wide =>
  dtype === 'float64' ? new Float64Array(length) : new Float32Array(length)

/** The elements as numbers that can be added up. */
function widened({ dtype, data }: NDArray): Wide {
  if (dtype === 'float16') return Float32Array.from(data as Uint16Array, fromFloat16Bits)
  if (dtype === 'bfloat16') return Float32Array.from(data as Uint16Array, fromBfloat16Bits)
  return data as Wide
}

/** Numbers as an array of a float dtype, rounded once. */
function narrowed(values: Wide, dtype: DType, shape: Size): NDArray {
  if (dtype === 'float16') return new NDArray(dtype, shape, Uint16Array.from(values, toFloat16Bits))
  if (dtype === 'bfloat16') return new NDArray(dtype, shape, Uint16Array.from(values, toBfloat16Bits))
  return new NDArray(dtype as 'float32', shape, values as Float32Array)
}

function addScaled(sum: Wide, values: Wide, weight: number, from = 0): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += weight * values[from + i]!
}

const divisor = (weight: number): number => (weight === 0 ? 1 : weight)

class DenseSum implements GradientSum {
  readonly width = 1
  private readonly type: GradientType
  private sum: Wide | undefined
  constructor(type: GradientType) {
    this.type = type
  }
  check(): void {}
  add([gradient]: readonly NDArray[], weight: number): void {
    this.sum ??= wideArray(this.type.dtype, gradient!.size)
    addScaled(this.sum, widened(gradient!), weight)
  }
  mean(weight: number): NDArray[] {
    const { dtype } = this.type
    const shape = this.type.shape as Size
    const by = divisor(weight)
    const mean = this.sum ? this.sum.map((x) => x / by) : wideArray(dtype, sizeOf(shape))
    return [narrowed(mean, dtype, shape)]
  }
  clear(): void {
    this.sum?.fill(0)
  }
}

class RowSum implements GradientSum {
  readonly width = 2
  private readonly type: GradientType
  private readonly most: number
  private readonly sums = new Map<number, Wide>()
  constructor(type: GradientType, most: number) {
    this.type = type
    this.most = most
  }
  check([, indices]: readonly NDArray[]): void {
    const rows = new Set(this.rowsOf(indices!).filter((row) => this.exists(row) && !this.sums.has(row)))
    const count = this.sums.size + rows.size
    if (count > this.most)
      throw new RunError(
        `gradients have ${count} different rows by now, ${this.most} were declared: declare the accumulator with more rows`,
      )
  }
  add([values, indices]: readonly NDArray[], weight: number): void {
    const wide = widened(values!)
    const length = this.rowLength
    this.rowsOf(indices!).forEach((row, i) => {
      // As wherever rows are scattered: those that do not exist are passed over.
      if (!this.exists(row)) return
      let sum = this.sums.get(row)
      if (!sum) this.sums.set(row, (sum = wideArray(this.type.dtype, length)))
      addScaled(sum, wide, weight, i * length)
    })
  }
  mean(weight: number): NDArray[] {
    const length = this.rowLength
    const by = divisor(weight)
    const values = wideArray(this.type.dtype, this.most * length)
    const indices = new Int32Array(this.most).fill(-1)
    // In the order of rows, so that the order in which contributions came does not show.
    const rows = [...this.sums].toSorted(([a], [b]) => a - b)
    rows.forEach(([row, sum], at) => {
      indices[at] = row
      for (let i = 0; i < length; i++) values[at * length + i] = sum[i]! / by
    })
    const shape = [this.most, ...(this.type.shape as Size).slice(1)]
    return [narrowed(values, this.type.dtype, shape), new NDArray('int32', [this.most], indices)]
  }
  clear(): void {
    this.sums.clear()
  }
  private get rowLength(): number {
    return sizeOf((this.type.shape as Size).slice(1))
  }
  private exists(row: number): boolean {
    return row >= 0 && row < (this.type.shape as Size)[0]!
  }
  private rowsOf(indices: NDArray): number[] {
    return Array.from(indices.data as Int32Array | BigInt64Array, Number)
  }
}
