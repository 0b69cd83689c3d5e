// Running sums, products and extremes.
import { dtypes } from '../../dtype.ts'
import { neutral, neutralBigInt } from '../../ir/kernel.ts'
import { normalizeAxis, sizeOf } from '../../shape.ts'
import type { Size } from '../../shape.ts'
import type { ReferenceKernels } from '../kernel.ts'
import { onNumbers } from '../kernel.ts'

/** One line of elements along an axis: where it begins, and the distance between its elements. */
export interface Line {
  readonly start: number
  readonly step: number
}

/** All lines along an axis, in row-major order of the other axes. */
export function* linesAlong(shape: Size, axis: number): Generator<Line> {
  const step = sizeOf(shape.slice(axis + 1))
  const count = sizeOf(shape.slice(0, axis))
  for (let outer = 0; outer < count; outer++)
    for (let inner = 0; inner < step; inner++) yield { start: outer * shape[axis]! * step + inner, step }
}

const joins: Readonly<Record<string, (total: number, x: number) => number>> = {
  sum: (total, x) => total + x,
  prod: (total, x) => total * x,
  max: Math.max,
  min: Math.min,
  logSumExp(total, x) {
    const high = Math.max(total, x)
    return high === Number.NEGATIVE_INFINITY || high === Number.POSITIVE_INFINITY
      ? high
      : high + Math.log(Math.exp(total - high) + Math.exp(x - high))
  },
}
const joinsExactly: Readonly<Record<string, (total: bigint, x: bigint) => bigint>> = {
  sum: (total, x) => total + x,
  prod: (total, x) => BigInt.asIntN(64, total * x),
  max: (total, x) => (x > total ? x : total),
  min: (total, x) => (x < total ? x : total),
}

function run<T>(
  x: ArrayLike<T>,
  out: { [i: number]: T },
  shape: Size,
  attrs: Readonly<Record<string, unknown>>,
  nothing: T,
  join: (total: T, x: T) => T,
): void {
  const axis = normalizeAxis(attrs['axis'] as number, shape.length)
  for (const { start, step } of linesAlong(shape, axis)) {
    let total = nothing
    for (let n = 0; n < shape[axis]!; n++) {
      const i = start + (attrs['reverse'] ? shape[axis]! - 1 - n : n) * step
      const next = join(total, x[i]!)
      out[i] = attrs['exclusive'] ? total : next
      total = next
    }
  }
}

/** Cumulative: accumulates floats in float64, integers up to 32 bits exactly as far as float64 goes and int64 exactly. */
export const cumulativeKernels: ReferenceKernels = {
  Cumulative(inputs, outputs, signature) {
    const {
      inputs: [type],
      attrs,
    } = signature
    const { dtype, shape } = type!
    const combine = attrs['combine'] as 'sum' | 'prod' | 'max' | 'min' | 'logSumExp'
    if (dtype === 'int64' && combine !== 'logSumExp')
      run(
        inputs[0] as BigInt64Array,
        outputs[0] as BigInt64Array,
        shape,
        attrs,
        neutralBigInt(combine),
        joinsExactly[combine]!,
      )
    else
      onNumbers(([x], [out]) => {
        const nothing = combine === 'logSumExp' ? Number.NEGATIVE_INFINITY : neutral(combine, dtype)
        run(
          x!,
          out!,
          shape,
          attrs,
          nothing,
          dtypes[dtype].kind === 'float' ? joins[combine]! : (wrapping[combine] ?? joins[combine]!),
        )
      })(inputs, outputs, signature)
  },
}

/** Products of integers leave float64's exact range long before they are stored. */
const wrapping: Readonly<Record<string, ((total: number, x: number) => number) | undefined>> = {
  prod: Math.imul,
}
