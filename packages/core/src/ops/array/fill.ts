// A tensor of one repeated value.
import type { DType } from '../../dtype.ts'
import { dtypes } from '../../dtype.ts'
import { AttrError, DTypeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { attr, defineOp } from '../../op.ts'

/** A tensor of one repeated value; sizes may be names. */
export const fill = defineOp({
  name: 'Fill',
  doc: 'A tensor of one repeated value; sizes may be names.',
  inputs: [],
  attrs: {
    shape: attr.shape('the shape'),
    value: attr.float('the value', 0),
    dtype: attr.dtype('the dtype', 'float32'),
  },
  infer: (_, { shape, dtype, value }) => {
    checkValue(value, dtype)
    return [{ dtype, shape }]
  },
  body: { kind: 'scalar', expr: (_, { value }, { output }) => E.num(value, output.dtype) },
})

/** Is the value one of the dtype? Rounding to a float is all that may happen to it. */
function checkValue(value: number, dtype: DType): void {
  const { kind, bytes } = dtypes[dtype]
  if (kind === 'string') throw new DTypeError(`cannot fill with ${dtype}: use constant`)
  if (kind === 'float') return
  const bits = kind === 'bool' ? 1 : 8 * bytes
  const [low, end] = kind === 'int' ? [-(2 ** (bits - 1)), 2 ** (bits - 1)] : [0, 2 ** bits]
  if (!Number.isInteger(value) || value < low || value >= end)
    throw new AttrError(
      `value ${value} is no ${dtype}: it takes whole numbers, at least ${low} and less than ${end}; use another dtype`,
    )
}

/** A tensor with the shape and dtype of x, every element `value`. */
export const fillLike = defineOp({
  name: 'FillLike',
  doc: 'A tensor with the shape and dtype of x, every element the same value.',
  inputs: ['x'],
  attrs: { value: attr.float('the value', 0) },
  traits: { shapeOnly: (i) => i === 0 },
  infer: ([x], { value }) => {
    checkValue(value, x.dtype)
    return [x]
  },
  grad: (): [null] => [null],
  body: {
    kind: 'composite',
    build: ([x], { value }): Tensor => fill({ shape: x.shape, value, dtype: x.dtype }),
  },
})
/** Zeros in the shape and dtype of x. */
export const zerosLike = (x: Tensor): Tensor => fillLike(x)
/** Ones in the shape and dtype of x. */
export const onesLike = (x: Tensor): Tensor => fillLike(x, { value: 1 })
