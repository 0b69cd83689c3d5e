// Sums over axes.
import { numerics } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { reduction } from './reduction.ts'
import { keepReduced } from './keepReduced.ts'
import { broadcastLike } from '../array/broadcastTo.ts'

/** The sum of x over axes, all of them by default; 0 over nothing. */
export const sum = reduction({
  name: 'Sum',
  doc: 'The sum of x over axes, all of them by default; 0 over nothing.',
  dtypes: numerics,
  combine: 'sum',
  grad: ({ dy, x, axes }): Tensor => broadcastLike(keepReduced(dy, x, axes), x),
})
