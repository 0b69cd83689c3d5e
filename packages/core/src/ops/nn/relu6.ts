// The rectifier with a ceiling.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { greater } from '../math/greater.ts'
import { less } from '../math/less.ts'
import { logicalAnd } from '../math/logicalAnd.ts'
import { select } from '../math/select.ts'

/** min(max(x, 0), 6); its derivative at 0 and 6 is 0. */
export const relu6 = unary({
  name: 'Relu6',
  doc: 'min(max(x, 0), 6); its derivative at 0 and 6 is 0.',
  traits: { monotone: 'increasing', idempotent: true },
  expr: (x) => E.min(E.max(x, E.num(0, x.dtype)), E.num(6, x.dtype)),
  grad: ({ dy, y }): Tensor => select(logicalAnd(greater(y, 0), less(y, 6)), dy, 0),
})
