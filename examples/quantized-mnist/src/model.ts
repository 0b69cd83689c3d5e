// A convolutional network for digits: twice convolution and pooling, then two dense layers.
import type { Tensor } from '@shoal/core'
import { argMax, cast, equal, expandDims, maxPool, mean, mul, placeholder, relu, reshape } from '@shoal/core'
import { convolution, dense } from '@shoal/example-parts'

/** What the network is fed: 'images' uint8 [batch, 28, 28] and 'labels' uint8 [batch]. */
const images = placeholder({ shape: ['batch', 28, 28], dtype: 'uint8', name: 'images' })
const labels = placeholder({ shape: ['batch'], dtype: 'uint8', name: 'labels' })
/** The digits that the images show, int32 [batch]. */
export const classes: Tensor = cast(labels, { to: 'int32' })

/** 28×28 → 16@24×24 → 16@12×12 → 32@8×8 → 32@4×4 → 128 → 10 scores. */
export function network(): Tensor {
  const pixels = expandDims(mul(cast(images, { to: 'float32' }), 1 / 255), { axis: -1 })
  const maps1 = maxPool(relu(convolution('convolution1', 5, 1, 16)(pixels)), 2)
  const maps2 = maxPool(relu(convolution('convolution2', 5, 16, 32)(maps1)), 2)
  const features = relu(dense('dense1', 4 * 4 * 32, 128)(reshape(maps2, { shape: [-1, 4 * 4 * 32] })))
  return dense('dense2', 128, 10)(features)
}

/** The part of a batch that scores tell right, a scalar. */
export const accuracyOf = (logits: Tensor): Tensor =>
  mean(cast(equal(argMax(logits, { axis: -1 }), classes), { to: 'float32' }))
