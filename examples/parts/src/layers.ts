// Layers as functions that remember their variables: made once, applied to as many tensors as one likes.
import type { Initializer, Tensor, TensorLike } from '@shoal/core'
import { add, biasAdd, conv2d, heUniform, matmul, scope, variable, zeros } from '@shoal/core'

/** A layer: the same variables for every tensor that it is applied to. */
export type Layer = (x: TensorLike) => Tensor

/** How a layer begins. */
export interface LayerOptions {
  /** What its weights start from; default heUniform, which suits relu. Biases start from 0. */
  readonly initializer?: Initializer
}

/** x [batch, inputs] · weights + bias → [batch, units]. */
export function dense(
  name: string,
  inputs: number,
  units: number,
  { initializer = heUniform }: LayerOptions = {},
): Layer {
  return scope(name, () => {
    const weights = variable(initializer([inputs, units]), { name: 'weights' })
    const bias = variable(zeros([units]), { name: 'bias' })
    return (x) => scope(name, () => add(matmul(x, weights), bias))
  })
}

/** Windows of `size` × `size` over x [batch, height, width, channels], without padding → […, height - size + 1, width - size + 1, filters]. */
export function convolution(
  name: string,
  size: number,
  channels: number,
  filters: number,
  { initializer = heUniform }: LayerOptions = {},
): Layer {
  return scope(name, () => {
    const weights = variable(initializer([size, size, channels, filters]), { name: 'weights' })
    const bias = variable(zeros([filters]), { name: 'bias' })
    return (x) => scope(name, () => biasAdd(conv2d(x, weights), bias))
  })
}
