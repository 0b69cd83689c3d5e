// The length of a point.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Expr } from '../../ir/expr.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { divNoNan } from './divNoNan.ts'
import { mul } from './mul.ts'

/** √(a² + b²) without overflow, element by element, with broadcasting. */
export const hypot = binary({
  name: 'Hypot',
  doc: '√(a² + b²) without overflow, element by element, with broadcasting.',
  dtypes: floats,
  traits: { commutative: true },
  expr: length,
  grad: ({ dy, a, b, y }): [Tensor, Tensor] => [mul(dy, divNoNan(a, y)), mul(dy, divNoNan(b, y))],
})

/** The longer side times √(1 + ratio²); a longer side of 0 or Infinity has no ratio. */
function length(a: Expr, b: Expr): Expr {
  const [one, zero, infinity] = [1, 0, Number.POSITIVE_INFINITY].map((x) => E.num(x, a.dtype)) as [
    Expr,
    Expr,
    Expr,
  ]
  const [long, short] = [E.max(E.abs(a), E.abs(b)), E.min(E.abs(a), E.abs(b))]
  const ratio = E.select(E.lt(zero, long), E.div(short, long), zero)
  return E.select(E.eq(long, infinity), infinity, E.mul(long, E.sqrt(E.add(one, E.mul(ratio, ratio)))))
}
