// Connectionist temporal classification: the loss of a sequence of labels whose places in time are not known.
import type { AttrsOf } from '../../attr.ts'
import { floats } from '../../dtype.ts'
import { AttrError, GradientError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import { formatShape, mergeDim, mergeShapes } from '../../shape.ts'
import { expandDims } from '../array/expandDims.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { mul } from '../math/mul.ts'
import type { LossOptions } from './reduction.ts'
import { reduced } from './reduction.ts'

const inputs = ['logits', 'labels', 'labelLengths', 'inputLengths'] as const
const attrs = { blank: attr.int('the class that stands for no label', 0) }
/** The attributes of CtcLoss. */
export type CtcAttrs = AttrsOf<typeof attrs>

const ctcLossOp = defineOp({
  name: 'CtcLoss',
  doc: 'The negative logarithm of the probability of a sequence of labels, summed over all its alignments, and its gradient by the logits.',
  inputs,
  dtypes: [floats, ['int32', 'int64'], ['int32', 'int64'], ['int32', 'int64']],
  literals: { labels: 'int32', labelLengths: 'int32', inputLengths: 'int32' },
  attrs,
  outputs: ['loss', 'gradient'],
  infer: ([logits, labels, labelLengths, inputLengths], { blank }) => {
    if (logits.shape.length !== 3)
      throw new ShapeError(`logits ${formatShape(logits.shape)} must be [time, batch, classes]`)
    if (labels.shape.length !== 2)
      throw new ShapeError(`labels ${formatShape(labels.shape)} must be [batch, places]`)
    const classes = logits.shape[2]!
    if (blank < 0 || (typeof classes === 'number' && blank >= classes))
      throw new AttrError(`blank ${blank} is not one of ${classes} classes`)
    const batch = mergeDim(logits.shape[1]!, labels.shape[0]!, 'logits and labels differ in batch size')
    mergeShapes(labelLengths.shape, [batch], 'labelLengths are [batch]')
    mergeShapes(inputLengths.shape, [batch], 'inputLengths are [batch]')
    return [
      { dtype: logits.dtype, shape: [batch] },
      { dtype: logits.dtype, shape: logits.shape },
    ]
  },
  grad: ({
    dys: [dy, second],
    outputs,
    node,
  }: GradContext<typeof inputs, typeof attrs>): [Tensor, null, null, null] => {
    if (second || !dy) throw new GradientError('has no gradient of second order', { node })
    return [mul(expandDims(dy, { axis: -1 }), outputs[1]!), null, null, null]
  },
  body: { kind: 'kernel' },
})
/** The definition behind `ctcLoss`. */
export const ctcLossDef = { def: ctcLossOp.def }

/**
 * One loss for each sequence, [batch]: -log of the probability that softmax(logits), blanks and repetitions taken out, reads `labels`.
 * Graves et al., 2006. A sequence too short for its labels has the loss Infinity and the gradient 0.
 * Lengths below 0 count as 0, and those beyond the places or the time as all of them; a label that is no class makes the loss NaN.
 * @param logits scores before softmax, [time, batch, classes].
 * @param labels classes [batch, places]; only the first `labelLengths` of each row count.
 * @param labelLengths how many labels each sequence has, [batch].
 * @param inputLengths how many steps each sequence has, [batch].
 * @param options.blank the class that stands for no label; default 0.
 */
export const ctcLoss = (
  logits: TensorLike,
  labels: TensorLike,
  labelLengths: TensorLike,
  inputLengths: TensorLike,
  { blank = 0, reduction = 'none' }: LossOptions & { readonly blank?: number } = {},
): Tensor =>
  scope('ctcLoss', () => {
    const index = (x: TensorLike): Tensor => toTensor(x, 'int32')
    const [losses] = ctcLossOp(toTensor(logits), index(labels), index(labelLengths), index(inputLengths), {
      blank,
    })
    return reduced(losses, reduction)
  })
