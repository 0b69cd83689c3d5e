// The models that are measured: the same sizes in every run, random data, plain momentum.
import type { Node, Tensor } from '@shoal/core'
import {
  add,
  biasAdd,
  conv2d,
  fill,
  heNormal,
  matmul,
  maxPool,
  mean,
  placeholder,
  relu,
  reshape,
  scope,
  sparseSoftmaxCrossEntropy,
  variable,
} from '@shoal/core'
import { momentum } from '@shoal/train'

/** A model with its training step. */
export interface Model {
  readonly name: string
  readonly loss: Tensor
  readonly step: Node
  /** The shape of one example. */
  readonly example: readonly number[]
  readonly feeds: { readonly x: Tensor; readonly labels: Tensor }
}

const dense = (x: Tensor, inputs: number, outputs: number): Tensor => {
  const w = variable(heNormal([inputs, outputs]), { name: 'w' })
  return add(matmul(x, w), variable(fill({ shape: [outputs] }), { name: 'b' }))
}

const convolve = (x: Tensor, inputs: number, outputs: number): Tensor => {
  const w = variable(heNormal([5, 5, inputs, outputs]), { name: 'w' })
  const b = variable(fill({ shape: [outputs] }), { name: 'b' })
  return maxPool(relu(biasAdd(conv2d(x, w, { padding: 'SAME' }), b)), 2)
}

function classifier(name: string, example: readonly number[], build: (x: Tensor) => Tensor): Model {
  return scope(name, () => {
    const x = placeholder({ shape: ['batch', ...example], name: 'x' })
    const labels = placeholder({ shape: ['batch'], dtype: 'int32', name: 'labels' })
    const loss = mean(sparseSoftmaxCrossEntropy(build(x), labels))
    return {
      name,
      loss,
      step: momentum({ learningRate: 0.01 }).minimize(loss),
      example,
      feeds: { x, labels },
    }
  })
}

/** 784-512-256-10. */
export const mlp = (): Model =>
  classifier('mlp', [784], (x) => {
    const h = scope('one', () => relu(dense(x, 784, 512)))
    const k = scope('two', () => relu(dense(h, 512, 256)))
    return scope('three', () => dense(k, 256, 10))
  })

/** Two convolutions 5×5 of 32 and 64 channels with pooling, then 256 and 10 units. */
export const lenet = (): Model =>
  classifier('lenet', [28, 28, 1], (x) => {
    const h = scope('conv1', () => convolve(x, 1, 32))
    const k = scope('conv2', () => convolve(h, 32, 64))
    const d = scope('dense', () => relu(dense(reshape(k, { shape: ['batch', 3136] }), 3136, 256)))
    return scope('logits', () => dense(d, 256, 10))
  })
