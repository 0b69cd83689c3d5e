// Images and filters in the other order: the libraries that keep channels first take and give them so.
import type { Host } from './values.ts'

/** Permutes axes: axis i of the answer is axis `axes[i]` of x. */
export function permuted({ shape, data }: Host, axes: readonly number[]): Host {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1))
  const to = axes.map((axis) => shape[axis]!)
  const by = axes.map((axis) => strides[axis]!)
  const out = new Float32Array(data.length)
  const index = to.map(() => 0)
  let from = 0
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from]!
    for (let axis = to.length - 1; axis >= 0; axis--) {
      from += by[axis]!
      if (++index[axis]! < to[axis]!) break
      from -= by[axis]! * to[axis]!
      index[axis] = 0
    }
  }
  return { shape: to, data: out }
}

/** [batch, height, width, channels] → [batch, channels, height, width]. */
export const channelsFirst = (x: Host): Host => permuted(x, [0, 3, 1, 2])
/** [batch, channels, height, width] → [batch, height, width, channels]. */
export const channelsLast = (x: Host): Host => permuted(x, [0, 2, 3, 1])
/** [height, width, in, out] → [out, in, height, width]. */
export const outputsFirst = (filter: Host): Host => permuted(filter, [3, 2, 0, 1])
/** [out, in, height, width] → [height, width, in, out]. */
export const outputsLast = (filter: Host): Host => permuted(filter, [2, 3, 1, 0])
/** A depthwise filter [height, width, channels, 1] → [channels, 1, height, width]. */
export const channelsApart = (filter: Host): Host => permuted(filter, [2, 3, 0, 1])

/**
 * The parameters of LeNet for images with the channels first: its first dense layer reads the features in another order.
 */
export function lenetChannelsFirst(parameters: { readonly [name: string]: Host }): {
  readonly [name: string]: Host
} {
  const { f1, f2, w1, ...rest } = parameters
  const features = permuted({ shape: [7, 7, 64, 256], data: w1!.data }, [2, 0, 1, 3])
  return {
    f1: outputsFirst(f1!),
    f2: outputsFirst(f2!),
    w1: { shape: w1!.shape, data: features.data },
    ...rest,
  }
}
