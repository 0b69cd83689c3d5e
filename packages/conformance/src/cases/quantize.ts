// Small numbers: to integers and back, their exact products, and weights in float16.
import type { NDArray } from '@shoal/core'
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import type { InputSpec } from '../inputs.ts'
import { ints, random, values } from '../inputs.ts'

/** Any int8, those below 0 too: as activations they count as 0. */
const bytes = (shape: readonly number[]): InputSpec => ints(shape, { low: -128, high: 128, dtype: 'int8' })
const activation = (x: number | bigint | boolean | string): number => Math.max(0, Number(x))

/** x [rows, k] · weights [n, k], from the formula. */
function products(x: NDArray, weights: NDArray): bigint[] {
  const [n, k] = weights.shape as readonly [number, number]
  const a = x.numbers()
  const b = weights.numbers()
  return Array.from({ length: (x.size / k) * n }, (_, i) => {
    const [row, column] = [Math.floor(i / n), i % n]
    return Array.from({ length: k }, (_, p) =>
      BigInt(activation(a[row * k + p]!) * b[column * k + p]!),
    ).reduce((sum, product) => sum + product, 0n)
  })
}

interface Plane {
  readonly out: readonly [height: number, width: number]
  readonly stride?: number
  readonly dilation?: number
  readonly before?: number
  readonly groups?: number
  readonly zeroPoint?: number
}

/** A convolution of images from its formula; beside x lies the zero point. */
function planes(x: NDArray, w: NDArray, plane: Plane): bigint[] {
  const { out, stride = 1, dilation = 1, before = 0, groups = 1, zeroPoint = 0 } = plane
  const [batch, height, width] = x.shape as readonly [number, number, number, number]
  const [made, kh, kw, seen] = w.shape as readonly [number, number, number, number]
  const read = (n: number, i: number, j: number, c: number): number =>
    i < 0 || j < 0 || i >= height || j >= width ? zeroPoint : activation(x.at(n, i, j, c))
  const y: bigint[] = []
  for (let n = 0; n < batch; n++)
    for (let i = 0; i < out[0]; i++)
      for (let j = 0; j < out[1]; j++)
        for (let o = 0; o < made; o++) {
          const first = Math.floor(o / (made / groups)) * seen
          let sum = 0
          for (let a = 0; a < kh; a++)
            for (let b = 0; b < kw; b++)
              for (let c = 0; c < seen; c++)
                sum +=
                  read(n, i * stride + a * dilation - before, j * stride + b * dilation - before, first + c) *
                  Number(w.at(o, a, b, c))
          y.push(BigInt(sum))
        }
  return y
}

const int32 = (sums: readonly bigint[]): Int32Array =>
  Int32Array.from(sums, (sum) => Number(BigInt.asIntN(32, sum)))

const matmulOf = (name: string, x: readonly number[], weights: readonly number[]): OpCase =>
  opCase({
    op: 'QuantizedMatMul',
    name,
    inputs: { x: bytes(x), w: bytes(weights) },
    build: ({ x, w }) => s.quantizedMatmul(x, w),
    expect: ({ x, w }) => int32(products(x, w)),
  })

const convOf = (
  name: string,
  x: readonly number[],
  filter: readonly number[],
  { out, stride, dilation, before, groups = 1, zeroPoint = 0 }: Plane,
): OpCase =>
  opCase({
    op: 'QuantizedConv',
    name,
    inputs: { x: bytes(x), w: bytes(filter) },
    build: ({ x, w }) =>
      s.quantizedConv(x, w, {
        ...s.windowArgs(
          {
            strides: stride ?? 1,
            dilations: dilation ?? 1,
            padding: before === undefined ? 'VALID' : 'SAME',
          },
          2,
        ),
        groups,
        zeroPoint,
      }),
    expect: ({ x, w }) =>
      int32(
        planes(x, w, {
          out,
          groups,
          zeroPoint,
          ...(stride && { stride }),
          ...(dilation && { dilation }),
          ...(before && { before }),
        }),
      ),
  })

const float16Of = (name: string, x: readonly number[], weights: readonly number[]): OpCase =>
  opCase({
    op: 'Float16MatMul',
    name,
    inputs: { x: random(x), w: random(weights, { dtype: 'float16' }) },
    grad: false,
    build: ({ x, w }) => s.float16Matmul(x, w),
    expect: ({ x, w }) => {
      const [n, k] = w.shape as readonly [number, number]
      const [a, b] = [x.numbers(), w.numbers()]
      return Float64Array.from({ length: (a.length / k) * n }, (_, i) => {
        const [row, column] = [Math.floor(i / n) * k, (i % n) * k]
        return Array.from({ length: k }, (_, p) => a[row + p]! * b[column + p]!).reduce(
          (sum, v) => sum + v,
          0,
        )
      })
    },
  })

/** Cases of quantised arithmetic. */
export const quantizeCases: readonly OpCase[] = [
  opCase({
    op: 'QuantizeLinear',
    name: 'halves to even, kept within seven bits',
    inputs: { x: values([-100, -2.5, -0.75, -0.25, 0, 0.25, 0.75, 1.25, 58, 59, 1e9]) },
    dtypes: ['float32', 'float64', 'float16'],
    grad: false,
    build: ({ x }) => s.quantizeLinear(x, { scale: 0.5, zeroPoint: 10 }),
    expect: [0, 5, 8, 10, 10, 10, 12, 12, 126, 127, 127],
  }),
  opCase({
    op: 'QuantizeLinear',
    name: 'what is no number, and what is infinite',
    inputs: { x: values([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) },
    grad: false,
    build: ({ x }) => s.quantizeLinear(x, { scale: 0.1, zeroPoint: 5 }),
    expect: [5, 127, 0],
  }),
  opCase({
    ops: ['QuantizeLinear', 'DequantizeLinear'],
    name: 'to activations and back, a zero point between',
    inputs: { x: random([3, 5], { low: -1, high: 3 }) },
    grad: false,
    build: ({ x }) => {
      const q = s.quantizeLinear(x, { scale: 4 / 127, zeroPoint: 32 })
      return s.dequantizeLinear(q, [-32], [4 / 127])
    },
    expect: ({ x }) =>
      Float32Array.from(
        x.numbers(),
        (v) => (Math.min(127, Math.max(0, Math.round(v / (4 / 127)) + 32)) - 32) * (4 / 127),
      ),
  }),
  opCase({
    op: 'DequantizeLinear',
    name: 'an offset and a scale for each column',
    inputs: {
      q: ints([2, 3, 4], { low: -1e6, high: 1e6 }),
      offset: ints([4], { low: -5000, high: 5000 }),
      scale: random([4], { low: 0.001, high: 0.01 }),
    },
    dtypes: ['float32', 'float64'],
    grad: false,
    build: ({ q, offset, scale }) => s.dequantizeLinear(q, offset, scale),
    expect: ({ q, offset, scale }) =>
      Float64Array.from(q.numbers(), (v, i) => (v + offset.numbers()[i % 4]!) * scale.numbers()[i % 4]!),
  }),
  matmulOf('whole vectors', [8, 32], [8, 32]),
  matmulOf('rests everywhere', [5, 45], [7, 45]),
  matmulOf('shorter than a vector', [3, 13], [6, 13]),
  matmulOf('one row', [1, 100], [33, 100]),
  matmulOf('one column, one element', [9, 1], [1, 1]),
  matmulOf('batches of rows', [2, 3, 3, 21], [10, 21]),
  matmulOf('more columns than a panel', [4, 64], [70, 64]),
  matmulOf('a long sum of the largest products', [2, 3001], [5, 3001]),
  opCase({
    op: 'QuantizedMatMul',
    name: 'the largest products, of either sign',
    inputs: {
      x: values([Array.from({ length: 40 }, () => 127)], 'int8'),
      w: values(
        [-128, 127].map((w) => Array.from({ length: 40 }, () => w)),
        'int8',
      ),
    },
    build: ({ x, w }) => s.quantizedMatmul(x, w),
    expect: [[40 * 127 * -128, 40 * 127 * 127]],
  }),
  float16Of('one row', [1, 64], [40, 64]),
  float16Of('rests everywhere', [3, 21], [7, 21]),
  float16Of('shorter than a vector', [2, 5], [3, 5]),
  float16Of('many rows', [3, 11, 30], [6, 30]),
  opCase({
    op: 'Float16MatMul',
    name: 'every kind of float16',
    inputs: {
      x: values([[1], [-2]]),
      w: values(
        [1, -0.5, 65504, 6e-5, 2 ** -24, -(2 ** -24) * 3, Infinity, -Infinity, NaN, 0].map((w) => [w]),
        'float16',
      ),
    },
    grad: false,
    build: ({ x, w }) => s.float16Matmul(x, w),
    expect: ({ x, w }) =>
      Float64Array.from(
        { length: 20 },
        (_, i) => Number(x.at(Math.floor(i / 10), 0)) * Number(w.at(i % 10, 0)),
      ),
  }),
  convOf('2d, valid, one channel', [2, 9, 10, 1], [6, 5, 5, 1], { out: [5, 6] }),
  convOf('2d, valid, many channels', [2, 5, 6, 24], [9, 3, 3, 24], { out: [3, 4] }),
  convOf('2d, same, a zero point', [1, 6, 7, 3], [4, 3, 3, 3], { out: [6, 7], before: 1, zeroPoint: 19 }),
  convOf('2d, same, many channels, a zero point', [1, 6, 7, 20], [5, 3, 3, 20], {
    out: [6, 7],
    before: 1,
    zeroPoint: 100,
  }),
  convOf('2d, same, strides', [2, 7, 7, 16], [4, 3, 3, 16], { stride: 2, out: [4, 4], before: 1 }),
  convOf('2d, dilated', [1, 9, 8, 5], [3, 3, 3, 5], { dilation: 2, out: [5, 4] }),
  convOf('2d, dilated, many channels', [1, 9, 8, 18], [3, 3, 3, 18], { dilation: 2, out: [5, 4] }),
  convOf('2d, groups', [2, 5, 5, 6], [9, 3, 3, 2], { groups: 3, out: [3, 3] }),
  convOf('2d, groups of many channels', [1, 4, 5, 34], [6, 2, 2, 17], { groups: 2, out: [3, 4] }),
  convOf('2d, each channel by itself', [2, 6, 6, 21], [21, 3, 3, 1], {
    groups: 21,
    out: [6, 6],
    before: 1,
    zeroPoint: 7,
  }),
  convOf('2d, each channel by itself, strides', [1, 7, 7, 16], [16, 3, 3, 1], {
    groups: 16,
    stride: 2,
    out: [4, 4],
    before: 1,
  }),
  convOf('2d, two results for each channel', [1, 5, 5, 4], [8, 3, 3, 1], { groups: 4, out: [3, 3] }),
  convOf('1 × 1', [1, 4, 5, 40], [12, 1, 1, 40], { out: [4, 5] }),
  opCase({
    op: 'QuantizedConv',
    name: '1d, padded as told',
    inputs: { x: values([[[1], [2], [-3], [4]]], 'int8'), w: values([[[1], [-2], [3]]], 'int8') },
    build: ({ x, w }) =>
      s.quantizedConv(x, w, { padding: 'EXPLICIT', explicitPadding: [2, 1], zeroPoint: 10 }),
    // 10 10 1 2 0 4 10
    expect: [[[-7], [14], [-3], [14], [22]]],
  }),
  opCase({
    op: 'QuantizedConv',
    name: '3d',
    inputs: { x: bytes([1, 3, 3, 4, 2]), w: bytes([5, 2, 2, 2, 2]) },
    build: ({ x, w }) => s.quantizedConv(x, w, {}),
  }),
]
