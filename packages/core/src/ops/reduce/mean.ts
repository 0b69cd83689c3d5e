// Averages over axes.
import type { Tensor } from '../../graph/graph.ts'
import { broadcastLike } from '../array/broadcastTo.ts'
import { size } from '../array/shapeOf.ts'
import { div } from '../math/div.ts'
import { compositeReduction } from './compositeReduction.ts'
import { keepReduced } from './keepReduced.ts'
import { sum } from './sum.ts'

/** The mean of x over axes, all of them by default; NaN over nothing. */
export const mean = compositeReduction({
  name: 'Mean',
  doc: 'The mean of x over axes, all of them by default; NaN over nothing.',
  build: (x, { axes, keepDims }) => div(sum(x, { axes, keepDims }), size(x, { axes, dtype: x.dtype })),
  grad: ({ dy, x, axes }): Tensor =>
    broadcastLike(div(keepReduced(dy, x, axes), size(x, { axes, dtype: x.dtype })), x),
})
