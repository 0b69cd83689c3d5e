// The gradient that max and min share.
import type { Tensor } from '../../graph/graph.ts'
import { cast } from '../math/cast.ts'
import { div } from '../math/div.ts'
import { equal } from '../math/equal.ts'
import { mul } from '../math/mul.ts'
import { keepReduced } from './keepReduced.ts'
import { sum } from './sum.ts'

/** What flows back to x from its extreme y over `axes`: elements that tie get an even share. */
export function extremeGrad({
  dy,
  x,
  y,
  axes,
}: {
  dy: Tensor
  x: Tensor
  y: Tensor
  axes: readonly number[]
}): Tensor {
  const chosen = cast(equal(x, keepReduced(y, x, axes)), { to: x.dtype })
  return mul(chosen, div(keepReduced(dy, x, axes), sum(chosen, { axes, keepDims: true })))
}
