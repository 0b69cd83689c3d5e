// Cross entropies, all from logits: the scores before softmax or sigmoid, because only from them are the losses accurate.
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import { formatShape, mergeShapes } from '../../shape.ts'
import { expandDims } from '../array/expandDims.ts'
import { indexLike } from '../array/indexLike.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { abs } from '../math/abs.ts'
import { add } from '../math/add.ts'
import { equal } from '../math/equal.ts'
import { exp } from '../math/exp.ts'
import { log1p } from '../math/log1p.ts'
import { mul } from '../math/mul.ts'
import { neg } from '../math/neg.ts'
import { select } from '../math/select.ts'
import { sub } from '../math/sub.ts'
import { logSoftmax } from '../nn/softmax.ts'
import { relu } from '../nn/relu.ts'
import { sum } from '../reduce/sum.ts'
import type { LossOptions } from './reduction.ts'
import { reduced } from './reduction.ts'

/**
 * -Σ labels · log softmax(logits) over the last axis: one loss for each example, [...n, classes] → [...n].
 * @param labels probabilities in the shape of the logits.
 */
export const softmaxCrossEntropy = (
  logits: TensorLike,
  labels: TensorLike,
  { reduction = 'none' }: LossOptions = {},
): Tensor =>
  scope('softmaxCrossEntropy', () => {
    const [x, p] = alike('softmaxCrossEntropy', logits, labels)
    return reduced(neg(sum(mul(p, logSoftmax(x)), { axes: [-1] })), reduction)
  })

/**
 * -log softmax(logits)[label]: one loss for each example, [...n, classes] → [...n].
 * @param labels classes [...n], int32 or int64, from 0; an example whose label is no class has the loss 0.
 */
export const sparseSoftmaxCrossEntropy = (
  logits: TensorLike,
  labels: TensorLike,
  { reduction = 'none' }: LossOptions = {},
): Tensor =>
  scope('sparseSoftmaxCrossEntropy', () => {
    const [x, classes] = [toTensor(logits), toTensor(labels, 'int32')]
    if (x.rank === 0)
      throw new ShapeError('sparseSoftmaxCrossEntropy: logits are [..., classes], got a scalar')
    mergeShapes(
      x.shape.slice(0, -1),
      classes.shape,
      `sparseSoftmaxCrossEntropy: labels must have the shape of the logits ${formatShape(x.shape)} without the last axis`,
    )
    // Compared with every class rather than gathered: it fuses with the sum, and the gradient needs no scatter.
    const chosen = equal(
      indexLike(x, { axis: -1, dtype: classes.dtype === 'int64' ? 'int64' : 'int32' }),
      expandDims(classes, { axis: -1 }),
    )
    return reduced(neg(sum(select(chosen, logSoftmax(x), 0), { axes: [-1] })), reduction)
  })

/** -labels · log σ(x) - (1 - labels) · log(1 - σ(x)), element by element, where σ is the sigmoid and x the logits; classes that do not exclude each other. */
export const sigmoidCrossEntropy = (
  logits: TensorLike,
  labels: TensorLike,
  { reduction = 'none' }: LossOptions = {},
): Tensor =>
  scope('sigmoidCrossEntropy', () => {
    const [x, z] = alike('sigmoidCrossEntropy', logits, labels)
    // max(x, 0) - x z + log(1 + e^-|x|): no power of e overflows.
    return reduced(add(sub(relu(x), mul(x, z)), log1p(exp(neg(abs(x))))), reduction)
  })

/**
 * `sigmoidCrossEntropy` with positive examples counted `positiveWeight` times: above 1 for recall, below 1 for precision.
 */
export const weightedCrossEntropy = (
  logits: TensorLike,
  labels: TensorLike,
  { positiveWeight, reduction = 'none' }: LossOptions & { readonly positiveWeight: number },
): Tensor =>
  scope('weightedCrossEntropy', () => {
    const [x, z] = alike('weightedCrossEntropy', logits, labels)
    const weight = add(mul(z, positiveWeight - 1), 1)
    // (1 - z) x + (1 + (w - 1) z) (log(1 + e^-|x|) + max(-x, 0))
    return reduced(add(mul(sub(1, z), x), mul(weight, add(log1p(exp(neg(abs(x)))), relu(neg(x))))), reduction)
  })

/** Logits and labels as tensors of one shape; the shapes must agree, or broadcasting would hide a mistake. */
function alike(loss: string, logits: TensorLike, labels: TensorLike): [Tensor, Tensor] {
  const x = toTensor(logits)
  const z = toTensor(labels, x.dtype)
  mergeShapes(x.shape, z.shape, `${loss}: logits and labels must have one shape`)
  return [x, z]
}
