// Convolutions over one to three spatial axes, their gradients, and what models make of them.
import type { NDArray } from '@shoal/core'
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { random } from '../inputs.ts'

interface Plane {
  readonly stride?: number
  readonly dilation?: number
  /** Padding before each spatial axis. */
  readonly before: number
  readonly out: readonly [height: number, width: number]
  readonly groups?: number
}

/** A convolution of images written from its formula, reading zeros beside x. */
function planes(
  x: NDArray,
  w: NDArray,
  { stride = 1, dilation = 1, before, out, groups = 1 }: Plane,
): number[] {
  const [batch, height, width] = x.shape as [number, number, number, number]
  const [kh, kw, seen, channels] = w.shape as [number, number, number, number]
  const read = (n: number, i: number, j: number, c: number): number =>
    i < 0 || j < 0 || i >= height || j >= width ? 0 : Number(x.at(n, i, j, c))
  const y: number[] = []
  for (let n = 0; n < batch; n++)
    for (let i = 0; i < out[0]; i++)
      for (let j = 0; j < out[1]; j++)
        for (let o = 0; o < channels; o++) {
          const first = Math.floor(o / (channels / groups)) * seen
          let sum = 0
          for (let a = 0; a < kh; a++)
            for (let b = 0; b < kw; b++)
              for (let c = 0; c < seen; c++)
                sum +=
                  read(n, i * stride + a * dilation - before, j * stride + b * dilation - before, first + c) *
                  Number(w.at(a, b, c, o))
          y.push(sum)
        }
  return y
}
const floats = ['float32', 'float64', 'float16'] as const
const trio = ['Conv', 'ConvBackpropInput', 'ConvBackpropFilter'] as const

/** Cases of conv and its kin. */
export const convCases: readonly OpCase[] = [
  opCase({
    ops: trio,
    name: '2d, valid',
    inputs: { x: random([2, 5, 6, 3]), w: random([3, 3, 3, 4]) },
    dtypes: floats,
    secondOrder: true,
    build: ({ x, w }) => s.conv2d(x, w),
    expect: ({ x, w }) => Float64Array.from(planes(x, w, { before: 0, out: [3, 4] })),
  }),
  opCase({
    ops: trio,
    name: '2d, same, strides',
    inputs: { x: random([2, 7, 7, 2]), w: random([3, 3, 2, 3]) },
    build: ({ x, w }) => s.conv2d(x, w, { strides: 2, padding: 'SAME' }),
    expect: ({ x, w }) => Float64Array.from(planes(x, w, { stride: 2, before: 1, out: [4, 4] })),
  }),
  opCase({
    ops: trio,
    name: '2d, dilated',
    inputs: { x: random([1, 7, 8, 2]), w: random([3, 3, 2, 2]) },
    build: ({ x, w }) => s.conv2d(x, w, { dilations: 2 }),
    expect: ({ x, w }) => Float64Array.from(planes(x, w, { dilation: 2, before: 0, out: [3, 4] })),
  }),
  opCase({
    ops: trio,
    name: '2d, groups',
    inputs: { x: random([2, 4, 4, 4]), w: random([3, 3, 2, 6]) },
    secondOrder: true,
    build: ({ x, w }) => s.conv2d(x, w, { padding: 'SAME', groups: 2 }),
    expect: ({ x, w }) => Float64Array.from(planes(x, w, { before: 1, out: [4, 4], groups: 2 })),
  }),
  opCase({
    op: 'Conv',
    name: '2d, explicit padding',
    inputs: { x: random([1, 4, 4, 2]), w: random([3, 3, 2, 2]) },
    build: ({ x, w }) =>
      s.conv2d(x, w, {
        padding: [
          [2, 2],
          [2, 2],
        ],
      }),
    expect: ({ x, w }) => Float64Array.from(planes(x, w, { before: 2, out: [6, 6] })),
  }),
  opCase({
    ops: trio,
    name: '2d, many channels, 1 by 1',
    inputs: { x: random([1, 3, 3, 20]), w: random([1, 1, 20, 17]) },
    build: ({ x, w }) => s.conv2d(x, w),
    expect: ({ x, w }) => Float64Array.from(planes(x, w, { before: 0, out: [3, 3] })),
  }),
  opCase({
    ops: trio,
    name: '1d and 3d',
    inputs: {
      line: random([2, 7, 2]),
      w1: random([3, 2, 2]),
      box: random([1, 3, 4, 3, 2]),
      w3: random([2, 2, 2, 2, 2]),
    },
    symbolic: false,
    build: ({ line, w1, box, w3 }) => [
      s.conv1d(line, w1, { strides: 2, padding: 'SAME' }),
      s.conv3d(box, w3),
    ],
  }),
  opCase({
    ops: ['ConvTranspose', 'ConvBackpropInput'],
    name: '2d, same, strides',
    inputs: { x: random([2, 3, 4, 3]), w: random([3, 3, 2, 3]) },
    dtypes: floats,
    secondOrder: true,
    build: ({ x, w }) => s.conv2dTranspose(x, w, { strides: 2, padding: 'SAME' }),
  }),
  opCase({
    op: 'ConvTranspose',
    name: 'an impulse leaves the filter',
    inputs: { w: random([3, 3, 2, 1]) },
    symbolic: false,
    build: ({ w }) => s.conv2dTranspose(s.fill({ shape: [1, 1, 1, 1], value: 1, dtype: w.dtype }), w),
    expect: ({ w }) => Float64Array.from(w.numbers()),
  }),
  opCase({
    op: 'ConvTranspose',
    name: '1d, 3d, groups, a stated size',
    inputs: {
      line: random([1, 3, 4]),
      w1: random([3, 1, 4]),
      box: random([1, 2, 2, 2, 2]),
      w3: random([2, 2, 2, 2, 2]),
    },
    symbolic: false,
    build: ({ line, w1, box, w3 }) => [
      s.conv1dTranspose(line, w1, { strides: 2, padding: 'SAME', groups: 2, outputSizes: [5] }),
      s.conv3dTranspose(box, w3),
    ],
  }),
  opCase({
    op: 'Conv',
    name: 'depthwise and separable',
    inputs: { x: random([1, 5, 5, 3]), w: random([3, 3, 3, 2]), point: random([1, 1, 6, 4]) },
    symbolic: false,
    build: ({ x, w, point }) => ({
      depthwise: s.depthwiseConv2d(x, w, { padding: 'SAME' }),
      separable: s.separableConv2d(x, w, point, { strides: 2 }),
      biased: s.biasAdd(s.conv2d(x, w), [0.5, -0.25]),
    }),
    expect: ({ x, w, point }) => {
      const grouped = w.reshape([3, 3, 1, 6])
      const valid = planes(x, grouped, { stride: 2, before: 0, out: [2, 2], groups: 3 })
      const mixed = s.ndarray(Float64Array.from(valid), 'float64', [1, 2, 2, 6])
      return {
        depthwise: Float64Array.from(planes(x, grouped, { before: 1, out: [5, 5], groups: 3 })),
        separable: Float64Array.from(planes(mixed, point, { before: 0, out: [2, 2] })),
        biased: Float64Array.from(
          planes(x, w, { before: 0, out: [3, 3] }),
          (v, i) => v + (i % 2 === 0 ? 0.5 : -0.25),
        ),
      }
    },
  }),
]
