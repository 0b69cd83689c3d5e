// Powers.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { equal } from './equal.ts'
import { greater } from './greater.ts'
import { log } from './log.ts'
import { mul } from './mul.ts'
import { select } from './select.ts'
import { sub } from './sub.ts'

/** a to the power of b, element by element, with broadcasting. */
export const pow = binary({
  name: 'Pow',
  doc: 'a to the power of b, element by element, with broadcasting.',
  expr: E.pow,
  grad: ({ dy, a, b, y }): [Tensor, Tensor] => {
    // Where b is 0 the factor b makes a zero whatever the power is, so it must not be infinite; below 0 the logarithm does not exist.
    const lowered = pow(a, sub(select(equal(b, 0), 1, b), 1))
    const positive = greater(a, 0)
    return [mul(dy, mul(b, lowered)), mul(dy, select(positive, mul(y, log(select(positive, a, 1))), 0))]
  },
})
