// A tensor of one repeated value.
import { fixedSize } from '../../dtype.ts'
import { DTypeError } from '../../errors.ts'
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
  infer: (_, { shape, dtype }) => {
    if (!fixedSize.includes(dtype)) throw new DTypeError(`cannot fill with ${dtype}: use constant`)
    return [{ dtype, shape }]
  },
  body: { kind: 'scalar', expr: (_, { value }, { output }) => E.num(value, output.dtype) },
})

/** A tensor with the shape and dtype of x, every element `value`. */
export const fillLike = defineOp({
  name: 'FillLike',
  doc: 'A tensor with the shape and dtype of x, every element the same value.',
  inputs: ['x'],
  attrs: { value: attr.float('the value', 0) },
  traits: { shapeOnly: (i) => i === 0 },
  infer: ([x]) => [x],
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
