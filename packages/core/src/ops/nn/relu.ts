// The rectifier.
import { numerics } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { greater } from '../math/greater.ts'
import { select } from '../math/select.ts'

/** max(x, 0); its derivative at 0 is 0. */
export const relu = unary({
  name: 'Relu',
  doc: 'max(x, 0); its derivative at 0 is 0.',
  dtypes: numerics,
  traits: { monotone: 'increasing', idempotent: true },
  expr: (x) => E.max(x, E.num(0, x.dtype)),
  grad: ({ dy, y }): Tensor => select(greater(y, 0), dy, 0),
})
