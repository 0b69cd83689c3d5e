// A network in the manner of LeNet-5: twice convolution and pooling, then dense layers (LeCun, Bottou, Bengio and Haffner, 1998).
import type { Tensor } from '@shoal/core'
import {
  argMax,
  cast,
  dropout,
  expandDims,
  maxPool,
  mean,
  mul,
  placeholder,
  relu,
  reshape,
  sparseSoftmaxCrossEntropy,
} from '@shoal/core'
import { convolution, dense } from '@shoal/example-parts'

/** What is to be had from the network. */
export interface LeNet {
  /** Grey values 0 to 255, uint8 [batch, 28, 28]; fed as 'images'. */
  readonly images: Tensor
  /** Digits, uint8 [batch]; fed as 'labels'. */
  readonly labels: Tensor
  /** What training makes small: the mean cross-entropy, with dropout. */
  readonly trainLoss: Tensor
  /** The mean cross-entropy of the network as it is. */
  readonly loss: Tensor
  /** The likeliest digits, int32 [batch]. */
  readonly predictions: Tensor
}

/** Builds the network: 28×28 → 8@24×24 → 8@12×12 → 16@8×8 → 16@4×4 → 128 → 10. */
export function lenet({ dropoutRate = 0.25 }: { readonly dropoutRate?: number } = {}): LeNet {
  const images = placeholder({ shape: ['batch', 28, 28], dtype: 'uint8', name: 'images' })
  const labels = placeholder({ shape: ['batch'], dtype: 'uint8', name: 'labels' })
  const conv1 = convolution('conv1', 5, 1, 8)
  const conv2 = convolution('conv2', 5, 8, 16)
  const dense1 = dense('dense1', 4 * 4 * 16, 128)
  const dense2 = dense('dense2', 128, 10)

  const x = expandDims(mul(cast(images, { to: 'float32' }), 1 / 255), { axis: -1 })
  const maps1 = maxPool(relu(conv1(x)), 2)
  const maps2 = maxPool(relu(conv2(maps1)), 2)
  const features = relu(dense1(reshape(maps2, { shape: [-1, 4 * 4 * 16] })))

  const classes = cast(labels, { to: 'int32' })
  const lossOf = (logits: Tensor): Tensor => mean(sparseSoftmaxCrossEntropy(logits, classes))
  const logits = dense2(features)
  return {
    images,
    labels,
    trainLoss: lossOf(dense2(dropout(features, { rate: dropoutRate }))),
    loss: lossOf(logits),
    predictions: argMax(logits, { axis: -1 }),
  }
}
