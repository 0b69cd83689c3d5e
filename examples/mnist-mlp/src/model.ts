// Three dense layers, 784-512-256-10: no idea of what an image is, and yet good at digits.
import type { Tensor } from '@shoal/core'
import {
  argMax,
  cast,
  equal,
  mean,
  mul,
  placeholder,
  relu,
  reshape,
  sparseSoftmaxCrossEntropy,
} from '@shoal/core'
import { dense } from '@shoal/example-parts'

/** What is to be had from the network; it is fed 'images' uint8 [batch, 28, 28] and 'labels' uint8 [batch]. */
export interface Mlp {
  /** The mean cross-entropy. */
  readonly loss: Tensor
  /** The part of the batch that it tells right. */
  readonly accuracy: Tensor
}

/** Builds the network. */
export function mlp(): Mlp {
  const images = placeholder({ shape: ['batch', 28, 28], dtype: 'uint8', name: 'images' })
  const labels = placeholder({ shape: ['batch'], dtype: 'uint8', name: 'labels' })
  const layers = [dense('dense1', 784, 512), dense('dense2', 512, 256)]
  const last = dense('dense3', 256, 10)

  const x = mul(cast(reshape(images, { shape: [-1, 784] }), { to: 'float32' }), 1 / 255)
  const logits = last(layers.reduce((h, layer) => relu(layer(h)), x))
  const classes = cast(labels, { to: 'int32' })
  const right = equal(argMax(logits, { axis: -1 }), classes)
  return {
    loss: mean(sparseSoftmaxCrossEntropy(logits, classes)),
    accuracy: mean(cast(right, { to: 'float32' })),
  }
}
