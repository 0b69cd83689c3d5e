// What linear algebra ops take: batches of matrices, and the checks of their shapes.
import { ShapeError } from '../../errors.ts'
import type { DType } from '../../dtype.ts'
import type { Dim, Shape, TensorType } from '../../shape.ts'
import { compatible, formatShape, mergeDim, mergeShapes } from '../../shape.ts'

/** Float types that linear algebra computes in. */
export const realDTypes: readonly DType[] = ['float32', 'float64']

/** The batch axes and the two sizes of a batch of matrices. @throws ShapeError below rank 2. */
export function matrixShape({ shape }: TensorType): {
  readonly batch: Shape
  readonly m: Dim
  readonly n: Dim
} {
  if (shape.length < 2) throw new ShapeError(`needs matrices [..., m, n], got ${formatShape(shape)}`)
  return { batch: shape.slice(0, -2), m: shape.at(-2)!, n: shape.at(-1)! }
}

/** The batch axes and the size of a batch of square matrices. @throws ShapeError when they are not square. */
export function squareShape(type: TensorType): { readonly batch: Shape; readonly n: Dim } {
  const { batch, m, n } = matrixShape(type)
  if (!compatible(m, n)) throw new ShapeError(`needs square matrices, got ${formatShape(type.shape)}`)
  return { batch, n: mergeDim(m, n) }
}

/** The type of X in A·X = B, for A [..., m, n] and B [..., m, k]: [..., n, k]. @throws ShapeError when they do not fit. */
export function solutionType(a: TensorType, b: TensorType): TensorType {
  const left = matrixShape(a)
  const right = matrixShape(b)
  const batch = mergeShapes(left.batch, right.batch, 'batch axes must be equal')
  mergeDim(left.m, right.m, 'the matrix and the right side have different numbers of rows')
  return { dtype: a.dtype, shape: [...batch, left.n, right.n] }
}
