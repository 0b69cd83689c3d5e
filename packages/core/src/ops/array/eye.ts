// Identity matrices.
import { numerics } from '../../dtype.ts'
import { DTypeError } from '../../errors.ts'
import { E } from '../../ir/expr.ts'
import { attr, defineOp } from '../../op.ts'

/** Identity matrices [...batch, rows, columns]: ones on the main diagonal, zeros elsewhere. */
export const eye = defineOp({
  name: 'Eye',
  doc: 'Identity matrices [...batch, rows, columns]: ones on the main diagonal, zeros elsewhere.',
  inputs: [],
  attrs: {
    rows: attr.int('the number of rows'),
    columns: attr.int('the number of columns; as many as rows when left out', undefined),
    batch: attr.shape('leading sizes', []),
    dtype: attr.dtype('the dtype', 'float32'),
  },
  infer: (_, { rows, columns, batch, dtype }) => {
    if (!numerics.includes(dtype)) throw new DTypeError(`cannot be ${dtype}`)
    return [{ dtype, shape: [...batch, rows, columns ?? rows] }]
  },
  body: {
    kind: 'scalar',
    expr: (_, __, { at, output }) =>
      E.select(E.eq(at.at(-2)!, at.at(-1)!), E.num(1, output.dtype), E.num(0, output.dtype)),
  },
})
