// Products of vectors and matrices that are only other ways to say matmul.
import { AttrError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { TensorLike } from '../constant.ts'
import { toTensors } from '../constant.ts'
import { expandDims, squeeze } from '../array/expandDims.ts'
import { formatShape, normalizeAxis } from '../../shape.ts'
import { einsum } from './einsum.ts'
import { inverse } from './inverse.ts'
import { matmul } from './matmul.ts'
import { identityLike, transposed } from './triangle.ts'

const pair = (a: TensorLike, b: TensorLike): [Tensor, Tensor] =>
  toTensors([a, b], matmul.def) as [Tensor, Tensor]
const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** x [..., m, n] with its last two axes exchanged. @throws ShapeError below rank 2. */
export function matrixTranspose(x: TensorLike): Tensor {
  const [matrix] = toTensors([x], matmul.def) as [Tensor]
  if (matrix.rank < 2)
    throw new ShapeError(`matrixTranspose needs matrices [..., m, n], got ${formatShape(matrix.shape)}`)
  return transposed(matrix)
}

/** The inner product along the last axis of two tensors of one shape: [..., n] · [..., n] → [...]. Leading axes broadcast. */
export function dot(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = pair(a, b)
  if (x.rank < 1 || y.rank < 1)
    throw new ShapeError(
      `dot needs vectors, got ${formatShape(x.shape)} and ${formatShape(y.shape)}: use mul`,
    )
  return squeeze(matmul(expandDims(x, { axis: -2 }), expandDims(y, { axis: -1 })), { axes: [-2, -1] })
}

/** Matrices times vectors: [..., m, n] · [..., n] → [..., m]. */
export function matvec(
  a: TensorLike,
  x: TensorLike,
  options: { readonly transposeA?: boolean } = {},
): Tensor {
  const [matrix, vector] = pair(a, x)
  return squeeze(
    matmul(matrix, expandDims(vector, { axis: -1 }), { transposeA: options.transposeA ?? false }),
    { axes: [-1] },
  )
}

/** All products of an element of a with one of b: [..., m], [..., n] → [..., m, n]. */
export function outer(a: TensorLike, b: TensorLike): Tensor {
  const [x, y] = pair(a, b)
  return matmul(expandDims(x, { axis: -1 }), expandDims(y, { axis: -2 }))
}

/**
 * The sum of products over pairs of axes: the other axes of a, then those of b.
 * @param axes how many last axes of a meet as many first ones of b; or the axes of a and those of b that meet, in order.
 * @throws AttrError when the lists differ in length.
 */
export function tensordot(
  a: TensorLike,
  b: TensorLike,
  axes: number | readonly [readonly number[], readonly number[]],
): Tensor {
  const [x, y] = pair(a, b)
  const count = typeof axes === 'number' ? axes : axes[0].length
  const ofA =
    typeof axes === 'number'
      ? Array.from({ length: count }, (_, i) => x.rank - count + i)
      : axes[0].map((i) => normalizeAxis(i, x.rank))
  const ofB =
    typeof axes === 'number'
      ? Array.from({ length: count }, (_, i) => i)
      : axes[1].map((i) => normalizeAxis(i, y.rank))
  if (ofA.length !== ofB.length)
    throw new AttrError(`tensordot: ${ofA.length} axes of a cannot meet ${ofB.length} of b`)
  if (count < 0 || count > Math.min(x.rank, y.rank))
    throw new AttrError(`tensordot: ${count} axes of ${formatShape(x.shape)} and ${formatShape(y.shape)}`)
  const labelsA = Array.from({ length: x.rank }, (_, i) => letters[i]!)
  const labelsB = Array.from({ length: y.rank }, (_, i) =>
    ofB.includes(i) ? labelsA[ofA[ofB.indexOf(i)]!]! : letters[x.rank + i]!,
  )
  const rest = [...labelsA.filter((_, i) => !ofA.includes(i)), ...labelsB.filter((_, i) => !ofB.includes(i))]
  return einsum(`${labelsA.join('')},${labelsB.join('')}->${rest.join('')}`, x, y)
}

/** Square matrices [..., n, n] multiplied with themselves: A^power; the inverse's powers for negative ones, the identity for 0. */
export function matrixPower(a: TensorLike, power: number): Tensor {
  if (!Number.isInteger(power)) throw new AttrError(`matrixPower: ${power} is not a whole number`)
  const [matrix] = toTensors([a], matmul.def) as [Tensor]
  let square = power < 0 ? inverse(matrix) : matrix
  let result: Tensor | undefined
  for (let rest = Math.abs(power); rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result ? matmul(result, square) : square
    if (rest > 1) square = matmul(square, square)
  }
  return result ?? identityLike(matrix)
}
