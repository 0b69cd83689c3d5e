// A network in the manner of LeNet-5: twice convolution and pooling, then dense layers (LeCun, Bottou, Bengio and Haffner, 1998).
import type { Tensor } from '@shoal/core'
import {
  argMax,
  cast,
  dropout,
  equal,
  expandDims,
  maxPool,
  mean,
  mul,
  placeholder,
  relu,
  reshape,
  softmax,
  sparseSoftmaxCrossEntropy,
} from '@shoal/core'
import { convolution, dense } from '@shoal/example-parts/layers'

/** How good some scores are: scalars. */
export interface Quality {
  /** The mean cross-entropy. */
  readonly loss: Tensor
  /** The part of the batch that is told right. */
  readonly accuracy: Tensor
}

/** What is to be had from the network; it is fed 'images' uint8 [batch, 28, 28] and 'labels' uint8 [batch]. */
export interface LeNet {
  /** With dropout, which makes its task harder: the loss of this is what training makes small. */
  readonly training: Quality
  /** As the network is. */
  readonly testing: Quality
  /** The likeliest digits, int32 [batch]; needs no labels. */
  readonly predictions: Tensor
  /** How likely each digit is, float32 [batch, 10]; needs no labels. */
  readonly probabilities: Tensor
}

/** What can be chosen. */
export interface LeNetOptions {
  /** The part of the features that a step of training leaves out. Default 0.4. */
  readonly dropoutRate?: number
  /** How wide the dense layer between is. Default 128. */
  readonly width?: number
}

/** Builds the network: 28×28 → 16@24×24 → 16@12×12 → 32@8×8 → 32@4×4 → 128 → 10. */
export function lenet({ dropoutRate = 0.4, width = 128 }: LeNetOptions = {}): LeNet {
  const images = placeholder({ shape: ['batch', 28, 28], dtype: 'uint8', name: 'images' })
  const labels = placeholder({ shape: ['batch'], dtype: 'uint8', name: 'labels' })
  const convolution1 = convolution('convolution1', 5, 1, 16)
  const convolution2 = convolution('convolution2', 5, 16, 32)
  const dense1 = dense('dense1', 4 * 4 * 32, width)
  const dense2 = dense('dense2', width, 10)

  const x = expandDims(mul(cast(images, { to: 'float32' }), 1 / 255), { axis: -1 })
  const maps1 = maxPool(relu(convolution1(x)), 2)
  const maps2 = maxPool(relu(convolution2(maps1)), 2)
  const features = relu(dense1(reshape(maps2, { shape: [-1, 4 * 4 * 32] })))

  const logits = dense2(features)
  const classes = cast(labels, { to: 'int32' })
  return {
    training: qualityOf(dense2(dropout(features, { rate: dropoutRate })), classes),
    testing: qualityOf(logits, classes),
    predictions: argMax(logits, { axis: -1 }),
    probabilities: softmax(logits),
  }
}

function qualityOf(logits: Tensor, classes: Tensor): Quality {
  const right = equal(argMax(logits, { axis: -1 }), classes)
  return {
    loss: mean(sparseSoftmaxCrossEntropy(logits, classes)),
    accuracy: mean(cast(right, { to: 'float32' })),
  }
}
