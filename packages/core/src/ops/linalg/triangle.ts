// Parts of matrices that linear algebra picks out again and again; sizes may still be names.
import type { Tensor } from '../../graph/graph.ts'
import { indexLike } from '../array/indexLike.ts'
import { transpose } from '../array/transpose.ts'
import { cast } from '../math/cast.ts'
import { equal } from '../math/equal.ts'
import { less } from '../math/less.ts'
import { lessEqual } from '../math/lessEqual.ts'
import { mul } from '../math/mul.ts'
import { select } from '../math/select.ts'
import { add } from '../math/add.ts'
import { matmul } from './matmul.ts'

const row = (x: Tensor): Tensor => indexLike(x, { axis: -2 })
const column = (x: Tensor): Tensor => indexLike(x, { axis: -1 })

/** x on and below the main diagonal of each matrix, 0 above it. */
export const lowerTriangle = (x: Tensor): Tensor => select(lessEqual(column(x), row(x)), x, 0)
/** x below the main diagonal of each matrix, 0 elsewhere. */
export const strictLowerTriangle = (x: Tensor): Tensor => select(less(column(x), row(x)), x, 0)
/** x on and above the main diagonal of each matrix, 0 below it. */
export const upperTriangle = (x: Tensor): Tensor => select(lessEqual(row(x), column(x)), x, 0)
/** x [..., m, n] with its last two axes exchanged. */
export const transposed = (x: Tensor): Tensor =>
  transpose(x, { order: [...x.shape.keys()].toSpliced(-2, 2, x.rank - 1, x.rank - 2) })
/** The mean of x and its transpose. */
export const symmetrized = (x: Tensor): Tensor => mul(add(x, transposed(x)), 0.5)

/** For x [..., m, n], identity matrices [..., m, m] of its dtype. */
export function identityLike(x: Tensor): Tensor {
  // Only the shape of this product is used, so it is never computed.
  const square = matmul(x, x, { transposeB: true })
  return cast(equal(row(square), column(square)), { to: x.dtype })
}
