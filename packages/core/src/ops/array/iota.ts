// Counting along an axis.
import { numerics } from '../../dtype.ts'
import { DTypeError } from '../../errors.ts'
import { E } from '../../ir/expr.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxis } from '../../shape.ts'

/** Each element is its own index along an axis: 0, 1, 2, … */
export const iota = defineOp({
  name: 'Iota',
  doc: 'Each element is its own index along an axis: 0, 1, 2, …',
  inputs: [],
  attrs: {
    shape: attr.shape('the shape'),
    axis: attr.int('the axis to count along, negative counted from the end', -1),
    dtype: attr.dtype('the dtype', 'int32'),
  },
  infer: (_, { shape, axis, dtype }) => {
    normalizeAxis(axis, shape.length)
    if (!numerics.includes(dtype)) throw new DTypeError(`cannot count in ${dtype}: use int32`)
    return [{ dtype, shape }]
  },
  body: {
    kind: 'scalar',
    expr: (_, { axis }, { at, output }) => E.cast(at[normalizeAxis(axis, at.length)]!, output.dtype),
  },
})
