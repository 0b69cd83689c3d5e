// The remainder of a division rounded down.
import { dtypes } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Expr } from '../../ir/expr.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { floorDiv } from './floorDiv.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'

/** a - ⌊a / b⌋ · b, which has the sign of b, element by element, with broadcasting; integers modulo 0 answer 0. */
export const floorMod = binary({
  name: 'FloorMod',
  doc: 'a - ⌊a / b⌋ · b, which has the sign of b, element by element, with broadcasting; integers modulo 0 answer 0.',
  expr: remainder,
  grad: ({ dy, a, b }): [Tensor, Tensor] => [dy, neg(mul(dy, floorDiv(a, b)))],
})

/** The remainder of truncation has the sign of a: one b more where that is not the sign of b. */
function remainder(a: Expr, b: Expr): Expr {
  const rest = E.rem(a, b)
  if (dtypes[a.dtype].kind === 'uint') return rest
  const zero = E.num(0, a.dtype)
  const otherSign = E.and(E.ne(rest, zero), E.xor(E.lt(rest, zero), E.lt(b, zero)))
  return E.select(otherSign, E.add(rest, b), rest)
}
