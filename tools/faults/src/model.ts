// What is trained: a small reader of digits, and beside its weights a ledger in which every step leaves a mark of its own.
import type { Tensor, Variable } from '@shoal/core'
import {
  argMax,
  cast,
  colocateWith,
  constant,
  equal,
  fill,
  gather,
  mean,
  mul,
  placeholder,
  relu,
  reshape,
  sparseSoftmaxCrossEntropy,
  sub,
  sum,
  variable,
} from '@shoal/core'
import { dense } from '@shoal/example-parts/layers'
import { gradientDescent } from '@shoal/train'

/** A power of two: what the ledger adds up stays exact. */
const learningRate = 0.125

/** The optimizer of every arrangement: plain, so that a step changes the ledger by exactly 1. */
export const optimizer = () => gradientDescent({ learningRate })

/** How the marks of the ledger are chosen. */
export interface ClassifierOptions {
  /** How many marks there is room for. */
  readonly marks: number
  /** Which one a step leaves: the one that is fed as 'ticket', or the one of the global step that it was computed at. */
  readonly by: 'ticket' | 'step'
}

/** A network, fed 'images' uint8 [batch, 28, 28], 'labels' uint8 [batch] and, where steps have tickets, 'ticket' int32 [1]. */
export interface Classifier {
  /** Counts the steps. */
  readonly globalStep: Variable
  /** float32 [marks, 1]: how often each mark was left. It lies beside the global step. */
  readonly ledger: Variable
  /** The mean cross-entropy of the batch. */
  readonly loss: Tensor
  /** The part of the batch that is told right. */
  readonly accuracy: Tensor
  /** What a step makes small: the loss, less what makes it leave its mark. A step changes the ledger as it changes weights. */
  readonly objective: Tensor
}

/** Builds 784 → 32 → 10, with its ledger. */
export function classifier({ marks, by }: ClassifierOptions): Classifier {
  const globalStep = variable(constant(0, 'int32'), { name: 'globalStep', trainable: false })
  const ledger = colocateWith(globalStep.resource.initial!, () =>
    variable(fill({ shape: [marks, 1] }), { name: 'ledger' }),
  )
  const images = placeholder({ shape: ['batch', 28, 28], dtype: 'uint8', name: 'images' })
  const labels = placeholder({ shape: ['batch'], dtype: 'uint8', name: 'labels' })
  const mark =
    by === 'ticket'
      ? placeholder({ shape: [1], dtype: 'int32', name: 'ticket' })
      : reshape(globalStep.read(), { shape: [1] })
  const x = mul(cast(reshape(images, { shape: [-1, 784] }), { to: 'float32' }), 1 / 255)
  const logits = dense('output', 32, 10)(relu(dense('hidden', 784, 32)(x)))
  const classes = cast(labels, { to: 'int32' })
  const loss = mean(sparseSoftmaxCrossEntropy(logits, classes))
  return {
    globalStep,
    ledger,
    loss,
    accuracy: mean(cast(equal(argMax(logits, { axis: -1 }), classes), { to: 'float32' })),
    objective: sub(loss, mul(sum(gather(ledger, mark)), 1 / learningRate)),
  }
}
