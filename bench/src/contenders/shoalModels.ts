// The models as a user of Shoal writes them, over parameters that are given.
import type { Tensor, TensorLike, Variable } from '@shoal/core'
import {
  add,
  biasAdd,
  conv2d,
  lstm,
  matmul,
  maxPool,
  mean,
  relu,
  reshape,
  sparseSoftmaxCrossEntropy,
} from '@shoal/core'
import { adam, gradientDescent, momentum } from '@shoal/train'
import type { ModelName } from '../work.ts'

/** Parameters by name. */
export type Parameters = { readonly [name: string]: Variable }

const dense = (x: TensorLike, weights: Variable, bias: Variable): Tensor => add(matmul(x, weights), bias)
const maps = (x: TensorLike, filter: Variable, bias: Variable): Tensor =>
  maxPool(relu(biasAdd(conv2d(x, filter, { padding: 'SAME' }), bias)), 2)

/** The logits of each model for a batch. */
export const models: { readonly [name in ModelName]: (x: Tensor, parameters: Parameters) => Tensor } = {
  mlp: (x, p) =>
    dense(relu(dense(relu(dense(x, p['w1']!, p['b1']!)), p['w2']!, p['b2']!)), p['w3']!, p['b3']!),
  lenet(x, p) {
    const features = maps(maps(x, p['f1']!, p['c1']!), p['f2']!, p['c2']!)
    const flat = reshape(features, { shape: [x.shape[0]!, 3136] })
    return dense(relu(dense(flat, p['w1']!, p['b1']!)), p['w2']!, p['b2']!)
  },
  lstm(x, p) {
    const { h } = lstm(x, { input: p['wx']!, hidden: p['wh']!, bias: p['b']! })
    return dense(h, p['w']!, p['bo']!)
  },
  logistic: (x, p) => dense(x, p['w']!, p['b']!),
}

/** The mean cross-entropy. */
export const lossOf = (logits: Tensor, labels: Tensor): Tensor =>
  mean(sparseSoftmaxCrossEntropy(logits, labels))

/** The optimizer that a model is trained with. */
export function optimizerOf({
  optimizer,
  rate,
}: {
  readonly optimizer: 'adam' | 'momentum' | 'descent'
  readonly rate: number
}) {
  switch (optimizer) {
    case 'adam':
      return adam({ learningRate: rate })
    case 'momentum':
      return momentum({ learningRate: rate, momentum: 0.9 })
    case 'descent':
      return gradientDescent({ learningRate: rate })
    default:
      return optimizer satisfies never
  }
}
