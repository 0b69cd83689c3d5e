// Competition between neighbouring channels.
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import { ndarray } from '../../ndarray.ts'
import { formatShape } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { constant, toTensor } from '../constant.ts'
import { matmul } from '../linalg/matmul.ts'
import { add } from '../math/add.ts'
import { mul } from '../math/mul.ts'
import { pow } from '../math/pow.ts'
import { square } from '../math/square.ts'

/**
 * x / (bias + alpha · Σ x² over the channels within `depthRadius`)^beta, for x [..., channels]. Krizhevsky et al., 2012.
 * Defaults: depthRadius 5, bias 1, alpha 1, beta 0.5.
 * @throws ShapeError when the channels are not known.
 */
export function localResponseNormalization(
  x: TensorLike,
  {
    depthRadius = 5,
    bias = 1,
    alpha = 1,
    beta = 0.5,
  }: {
    readonly depthRadius?: number
    readonly bias?: number
    readonly alpha?: number
    readonly beta?: number
  } = {},
): Tensor {
  const t = toTensor(x)
  const channels = t.shape.at(-1)
  if (t.rank < 2 || typeof channels !== 'number')
    throw new ShapeError(
      `localResponseNormalization: x ${formatShape(t.shape)} must be [..., channels] with known channels`,
    )
  // The sum over neighbours is a product with a band matrix, which every device does well.
  const band = ndarray(
    Array.from({ length: channels }, (_, i) =>
      Array.from({ length: channels }, (__, j) => (Math.abs(i - j) <= depthRadius ? alpha : 0)),
    ),
  )
  return scope('localResponseNormalization', () =>
    mul(t, pow(add(matmul(square(t), constant(band, t.dtype)), bias), -beta)),
  )
}
