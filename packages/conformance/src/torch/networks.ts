// How the layers, losses and small networks of the PyTorch cases are said in Shoal.
import type { Tensor } from '@shoal/core'
import * as s from '@shoal/core'
import type { TorchBuilders } from './builder.ts'

type Attrs = Readonly<Record<string, unknown>>
const padding = (attrs: Attrs): 'SAME' | 'VALID' => attrs['padding'] as 'SAME' | 'VALID'
const window = (attrs: Attrs) => ({
  strides: (attrs['strides'] ?? attrs['stride'] ?? 1) as number | number[],
  dilations: (attrs['dilations'] ?? attrs['dilation'] ?? 1) as number | number[],
  padding: padding(attrs),
})

/** The rows of x [batch, time, features] at one time: [batch, features]. */
const atTime = (x: Tensor, time: number): Tensor => {
  const [batch, , features] = x.shape as [number, number, number]
  return s.reshape(s.slice(x, { begin: [0, time, 0], size: [batch, 1, features] }), {
    shape: [batch, features],
  })
}
const times = (x: Tensor): readonly number[] => Array.from({ length: x.shape[1] as number }, (_, i) => i)

/** PyTorch's weights stand a gate a row. */
const recurrentWeights = (inputs: Readonly<Record<string, Tensor>>): s.RecurrentWeights => ({
  input: s.transpose(inputs['w_ih']!),
  hidden: s.transpose(inputs['w_hh']!),
  bias: inputs['b_ih']!,
  hiddenBias: inputs['b_hh']!,
})
/** A state [batch, units] from and to the [1, batch, units] of one layer in one direction. */
const withoutLayer = (state: Tensor): Tensor => s.squeeze(state, { axes: [0] })
const withLayer = (state: Tensor): Tensor => s.expandDims(state, { axis: 0 })

const recurrentBuilders: TorchBuilders = {
  lstm(inputs) {
    const initial = { h: withoutLayer(inputs['h0']!), c: withoutLayer(inputs['c0']!) }
    const { outputs, h, c } = s.lstm(inputs['x']!, recurrentWeights(inputs), { initial })
    return { outputs, h: withLayer(h), c: withLayer(c) }
  },
  gru(inputs) {
    const initial = withoutLayer(inputs['h0']!)
    const { outputs, h } = s.gru(inputs['x']!, recurrentWeights(inputs), { initial })
    return { outputs, h: withLayer(h) }
  },
  BasicRNNCell({ x, h0, kernel, bias }) {
    let h = h0!
    const outputs = times(x!).map((t) => {
      h = s.tanh(s.add(s.matmul(s.concat([atTime(x!, t), h], { axis: 1 }), kernel!), bias!))
      return h
    })
    return { outputs: s.stack(outputs, { axis: 1 }), h }
  },
}

const lossBuilders: TorchBuilders = {
  sparse_softmax_cross_entropy_with_logits: ({ logits, labels }) =>
    s.sparseSoftmaxCrossEntropy(logits!, labels!),
  softmax_cross_entropy_with_logits: ({ logits, labels }) => s.softmaxCrossEntropy(logits!, labels!),
  sigmoid_cross_entropy_with_logits: ({ logits, labels }) => s.sigmoidCrossEntropy(logits!, labels!),
  weighted_cross_entropy_with_logits: ({ logits, labels }, { pos_weight }) =>
    s.weightedCrossEntropy(logits!, labels!, { positiveWeight: pos_weight as number }),
  mean_squared_error: ({ p, y }) => s.mean(s.squaredDifference(p!, y!)),
  hinge_loss: ({ p, y }) => s.relu(s.sub(1, s.mul(p!, y!))),
  ctc_loss: ({ logits, labels, label_len }, { blank, input_lengths }) =>
    s.ctcLoss(logits!, labels!, label_len!, s.constant(input_lengths as number[], 'int32'), {
      blank: blank as number,
    }),
}

export const networkBuilders: TorchBuilders = {
  ...recurrentBuilders,
  ...lossBuilders,
  bias_add: ({ x, b }) => s.add(x!, b!),
  conv1d: ({ x, w }, attrs) => s.conv1d(x!, w!, window(attrs)),
  conv2d: ({ x, w }, attrs) => s.conv2d(x!, w!, window(attrs)),
  conv3d: ({ x, w }, attrs) => s.conv3d(x!, w!, window(attrs)),
  depthwise_conv2d_native: ({ x, w }, attrs) => s.depthwiseConv2d(x!, w!, window(attrs)),
  separable_conv2d: ({ x, dw, pw }, attrs) => s.separableConv2d(x!, dw!, pw!, window(attrs)),
  conv2d_transpose: ({ x, w }, attrs) =>
    s.conv2dTranspose(x!, w!, {
      ...window(attrs),
      outputSizes: (attrs['output_shape'] as number[]).slice(1, 3),
    }),
  max_pool: ({ x }, attrs) => s.maxPool(x!, attrs['ksize'] as number, window(attrs)),
  avg_pool: ({ x }, attrs) => s.avgPool(x!, attrs['ksize'] as number, window(attrs)),
  resize_bilinear: ({ x }, { size, align_corners, half_pixel_centers }) =>
    s.resizeBilinear(x!, {
      size: size as [number, number],
      alignCorners: align_corners === true,
      halfPixelCenters: half_pixel_centers === true,
    }),
  layer_norm: ({ x, g, b }, { eps }) => s.layerNorm(x!, g!, b!, { epsilon: eps as number }),
  fused_batch_norm: ({ x, g, b }, { eps }) => s.batchNorm(x!, g!, b!, { epsilon: eps as number }).y,
  l2_normalize: ({ x }, { axis }) => s.l2Normalize(x!, { axes: [axis as number] }),
  softmax: ({ x }) => s.softmax(x!),
  attention({ q, k, v }) {
    const scale = 1 / Math.sqrt(q!.shape.at(-1) as number)
    return s.matmul(s.softmax(s.mul(s.matmul(q!, k!, { transposeB: true }), scale)), v!)
  },
  // A convolution, max pooling, a dense layer and the mean cross entropy.
  graph({ x, w1, b1, w2, b2, y }) {
    const maps = s.relu(s.add(s.conv2d(x!, w1!, { padding: 'SAME' }), b1!))
    const flat = s.reshape(s.maxPool(maps, 2), { shape: [x!.shape[0] as number, w2!.shape[0] as number] })
    return s.mean(s.sparseSoftmaxCrossEntropy(s.add(s.matmul(flat, w2!), b2!), y!))
  },
  // f = Σ sin(x) x² + Σ exp(−xᵢ xⱼ): its gradient, so that the gradient of this is a Hessian times a vector.
  gradients_of_gradients({ x }) {
    const n = x!.shape[0] as number
    const outer = s.mul(s.reshape(x!, { shape: [n, 1] }), s.reshape(x!, { shape: [1, n] }))
    const f = s.add(s.sum(s.mul(s.sin(x!), s.square(x!))), s.sum(s.exp(s.neg(outer))))
    return { g: s.gradients(f, [x!])[0]! }
  },
}
