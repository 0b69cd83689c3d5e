// How often a classifier is right, as graph ops: fetch them beside the loss.
import type { Tensor, TensorLike } from '@shoal/core'
import {
  argMax,
  bincount,
  cast,
  equal,
  expandDims,
  formatShape,
  greater,
  indexLike,
  isFinite as isFiniteOp,
  less,
  logicalAnd,
  max,
  mean,
  add,
  mul,
  mergeShapes,
  reshape,
  scope,
  select,
  ShapeError,
  squeeze,
  sum,
  toTensor,
} from '@shoal/core'

/** Logits or scores [...n, classes] and labels [...n] (int32, int64), as tensors that fit. */
function checked(name: string, logits: TensorLike, labels: TensorLike): [scores: Tensor, classes: Tensor] {
  const [scores, classes] = [toTensor(logits), toTensor(labels, 'int32')]
  if (scores.rank === 0) throw new ShapeError(`${name}: scores are [..., classes], got a scalar`)
  mergeShapes(
    scores.shape.slice(0, -1),
    classes.shape,
    `${name}: labels must have the shape of the scores ${formatShape(scores.shape)} without the last axis`,
  )
  return [scores, classes]
}
const intOf = (t: Tensor): 'int32' | 'int64' => (t.dtype === 'int64' ? 'int64' : 'int32')

/**
 * The share of examples whose greatest score is that of their label: a float32 scalar. Of equal scores the first counts.
 * @param logits scores [...n, classes], before or after softmax.
 * @param labels classes [...n], int32 or int64.
 * @throws ShapeError when they do not fit.
 */
export const accuracy = (logits: TensorLike, labels: TensorLike): Tensor =>
  scope('accuracy', () => {
    const [scores, classes] = checked('accuracy', logits, labels)
    return mean(cast(equal(argMax(scores, { axis: -1, dtype: intOf(classes) }), classes), { to: 'float32' }))
  })

/**
 * The share of examples for which fewer than `k` classes have a greater score than their label: a float32 scalar. Ties count as right;
 * labels that are no class, and scores that are not finite, as wrong.
 * @throws ShapeError when scores and labels do not fit.
 */
export const topKAccuracy = (logits: TensorLike, labels: TensorLike, { k }: { readonly k: number }): Tensor =>
  scope('topKAccuracy', () => {
    const [scores, classes] = checked('topKAccuracy', logits, labels)
    const chosen = equal(
      indexLike(scores, { axis: -1, dtype: intOf(classes) }),
      expandDims(classes, { axis: -1 }),
    )
    const own = max(select(chosen, scores, Number.NEGATIVE_INFINITY), { axes: [-1], keepDims: true })
    const above = sum(cast(greater(scores, own), { to: 'int32' }), { axes: [-1] })
    return mean(cast(logicalAnd(less(above, k), squeeze(isFiniteOp(own), { axes: [-1] })), { to: 'float32' }))
  })

/**
 * How often each label (rows) was predicted as each class (columns): int32 [classes, classes]. Pairs with a number that is no class are
 * not counted.
 * @param labels classes of any shape, int32 or int64.
 * @param predictions classes of the same shape and dtype.
 */
export const confusionCounts = (
  labels: TensorLike,
  predictions: TensorLike,
  { classes }: { readonly classes: number },
): Tensor =>
  scope('confusionCounts', () => {
    const truth = toTensor(labels, 'int32')
    const guess = toTensor(predictions, truth.dtype)
    mergeShapes(truth.shape, guess.shape, 'confusionCounts: labels and predictions must have one shape')
    const isClass = (x: Tensor): Tensor => logicalAnd(less(x, classes), greater(x, -1))
    const pair = select(logicalAnd(isClass(truth), isClass(guess)), add(mul(truth, classes), guess), -1)
    return reshape(bincount(pair, { count: classes * classes }), { shape: [classes, classes] })
  })
