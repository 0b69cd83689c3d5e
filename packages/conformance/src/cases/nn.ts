// Activations, normalisations, attention and embeddings.
import type { NDArray, Tensor } from '@shoal/core'
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { bools, drawn, ints, random, values } from '../inputs.ts'

const floats = ['float32', 'float64', 'float16'] as const
/** Numbers on both sides of every corner, none at one. */
const aroundCorners = drawn([4, 5], (stream) =>
  Array.from({ length: 20 }, (_, i) => i * 0.75 - 7.0625 + stream.between(-0.05, 0.05)),
)
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const softplus = (x: number): number => Math.log1p(Math.exp(x))
/** Φ(x) by adding up the density: midpoints of 20,000 slices from -12. */
function normalBelow(x: number): number {
  const slice = (x + 12) / 20000
  return (
    Array.from({ length: 20000 }, (_, i) => Math.exp(-((-12 + (i + 0.5) * slice) ** 2) / 2)).reduce(
      (a, b) => a + b,
    ) *
    (slice / Math.sqrt(2 * Math.PI))
  )
}

const activations: readonly (readonly [
  op: string,
  build: (x: Tensor) => Tensor,
  expect: (x: number) => number,
])[] = [
  ['Relu', s.relu, (x) => Math.max(0, x)],
  ['Relu6', s.relu6, (x) => Math.min(6, Math.max(0, x))],
  ['LeakyRelu', (x) => s.leakyRelu(x, { alpha: 0.125 }), (x) => (x > 0 ? x : 0.125 * x)],
  ['Elu', (x) => s.elu(x, { alpha: 1.5 }), (x) => (x > 0 ? x : 1.5 * (Math.exp(x) - 1))],
  ['Selu', s.selu, (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Math.exp(x) - 1))],
  [
    'Gelu',
    (x) => s.gelu(x, { approximate: true }),
    (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  ],
  ['Silu', s.silu, (x) => x * sigmoid(x)],
  ['Mish', s.mish, (x) => x * Math.tanh(softplus(x))],
  ['HardSigmoid', s.hardSigmoid, (x) => Math.min(6, Math.max(0, x + 3)) / 6],
  ['HardSwish', s.hardSwish, (x) => (x * Math.min(6, Math.max(0, x + 3))) / 6],
]
const activationCases = activations.map(([op, build, expect]) =>
  opCase({
    op,
    name: 'both sides of its corners',
    inputs: { x: aroundCorners },
    dtypes: floats,
    secondOrder: true,
    build: ({ x }) => build(x),
    expect: ({ x }) => Float64Array.from(x.numbers(), expect),
  }),
)

/** The rows of the last axis. */
const rowsOf = (x: NDArray): number[][] => {
  const width = x.shape.at(-1)!
  return Array.from({ length: x.size / width }, (_, r) => x.numbers().slice(r * width, (r + 1) * width))
}
const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length
const variance = (xs: readonly number[]): number => mean(xs.map((v) => (v - mean(xs)) ** 2))
const standard = (xs: readonly number[], epsilon: number): number[] =>
  xs.map((v) => (v - mean(xs)) / Math.sqrt(variance(xs) + epsilon))
const probabilities = (xs: readonly number[]): number[] => {
  const total = xs.reduce((a, b) => a + Math.exp(b), 0)
  return xs.map((v) => Math.exp(v) / total)
}
/** Elements in groups by a key of their position, each group changed, then put back. */
function grouped(
  x: NDArray,
  key: (i: number) => number,
  change: (group: number[]) => number[],
): Float64Array {
  const [numbers, places] = [x.numbers(), new Map<number, number[]>()]
  numbers.forEach((_, i) => places.set(key(i), [...(places.get(key(i)) ?? []), i]))
  const y = new Float64Array(x.size)
  for (const group of places.values())
    change(group.map((i) => numbers[i]!)).forEach((v, k) => (y[group[k]!] = v))
  return y
}

/** Cases of ops/nn but convolution, pooling and resizing. */
export const nnCases: readonly OpCase[] = [
  ...activationCases,
  opCase({
    op: 'Gelu',
    name: 'exact',
    inputs: { x: random([3, 4]) },
    dtypes: ['float32', 'float16'],
    build: ({ x }) => s.gelu(x),
    expect: ({ x }) => Float64Array.from(x.numbers(), (v) => v * normalBelow(v)),
  }),
  opCase({
    op: 'Relu',
    name: 'whole numbers, infinities; the slope at 0 is 0',
    build: () => {
      const x = s.constant([-1, 0, 2])
      return [
        s.relu(s.constant([-3, 0, 4], 'int32')),
        s.relu(s.constant([Infinity, -Infinity])),
        s.gradients(s.relu(x), [x])[0]!,
      ]
    },
    expect: [
      [0, 0, 4],
      [Infinity, 0],
      [0, 0, 1],
    ],
  }),
  opCase({
    op: 'Prelu',
    name: 'a slope for each channel',
    inputs: { x: aroundCorners, alpha: random([5]) },
    build: ({ x, alpha }) => s.prelu(x, alpha),
    expect: ({ x, alpha }) =>
      Float64Array.from(x.numbers(), (v, i) => (v > 0 ? v : v * Number(alpha.at(i % 5)))),
  }),
  opCase({
    op: 'Sigmoid',
    name: 'glu',
    inputs: { x: random([3, 6]) },
    symbolic: false,
    build: ({ x }) => s.glu(x),
    expect: ({ x }) =>
      Float64Array.from(rowsOf(x).flatMap((r) => [0, 1, 2].map((i) => r[i]! * sigmoid(r[i + 3]!)))),
  }),
  opCase({
    ops: ['Softmax', 'LogSoftmax'],
    name: 'last axis',
    inputs: { x: random([3, 6]) },
    dtypes: floats,
    secondOrder: true,
    build: ({ x }) => [s.softmax(x), s.logSoftmax(x)],
    expect: ({ x }) => {
      const y = rowsOf(x).flatMap(probabilities)
      return [Float64Array.from(y), Float64Array.from(y, Math.log)]
    },
  }),
  opCase({
    ops: ['Softmax', 'LogSoftmax'],
    name: 'another axis, large numbers',
    inputs: {
      x: values([
        [1000, -1000, 5],
        [1000, -1001, 5],
      ]),
    },
    grad: false,
    build: ({ x }) => [s.softmax(x, { axis: 0 }), s.logSoftmax(x, { axis: -1 })],
    expect: [
      [
        [0.5, 1 / (1 + Math.exp(-1)), 0.5],
        [0.5, 1 / (1 + Math.E), 0.5],
      ],
      [
        [0, -2000, -995],
        [0, -2001, -995],
      ],
    ],
  }),
  opCase({
    op: 'Rsqrt',
    name: 'layerNorm and rmsNorm',
    inputs: { x: random([2, 3, 6]), scale: random([6]), offset: random([6]) },
    dtypes: ['float32', 'float64'],
    build: ({ x, scale, offset }) => ({
      layer: s.layerNorm(x, scale, offset),
      rms: s.rmsNorm(x, scale),
      bare: s.layerNorm(x, undefined, undefined, { axes: [1, 2], epsilon: 0.125 }),
    }),
    expect: ({ x, scale, offset }) => ({
      layer: Float64Array.from(
        rowsOf(x).flatMap((r) => standard(r, 1e-5)),
        (v, i) => v * Number(scale.at(i % 6)) + Number(offset.at(i % 6)),
      ),
      rms: Float64Array.from(
        rowsOf(x).flatMap((r) => r.map((v) => v / Math.sqrt(mean(r.map((u) => u * u)) + 1e-6))),
        (v, i) => v * Number(scale.at(i % 6)),
      ),
      bare: grouped(
        x,
        (i) => Math.floor(i / 18),
        (g) => standard(g, 0.125),
      ),
    }),
  }),
  opCase({
    op: 'Rsqrt',
    name: 'batchNorm in training and inference',
    inputs: {
      x: random([3, 2, 2, 2]),
      scale: random([2]),
      offset: random([2]),
      spread: random([2], { low: 0.5, high: 2 }),
    },
    build: ({ x, scale, offset, spread }) => ({
      ...s.batchNorm(x, scale, offset),
      inference: s.batchNormInference(x, offset, spread, scale),
    }),
    expect: ({ x, scale, offset, spread }) => {
      const channels = [0, 1].map((c) => x.numbers().filter((_, i) => i % 2 === c))
      return {
        y: Float64Array.from(
          grouped(
            x,
            (i) => i % 2,
            (g) => standard(g, 1e-3),
          ),
          (v, i) => v * Number(scale.at(i % 2)) + Number(offset.at(i % 2)),
        ),
        mean: channels.map(mean),
        variance: channels.map(variance),
        inference: Float64Array.from(
          x.numbers(),
          (v, i) =>
            ((v - Number(offset.at(i % 2))) / Math.sqrt(Number(spread.at(i % 2)) + 1e-3)) *
            Number(scale.at(i % 2)),
        ),
      }
    },
  }),
  opCase({
    op: 'Rsqrt',
    name: 'groupNorm and instanceNorm',
    inputs: { x: random([2, 3, 4]), scale: random([4]), offset: random([4]) },
    symbolic: false,
    build: ({ x, scale, offset }) => ({
      group: s.groupNorm(x, scale, offset, { groups: 2 }),
      instance: s.instanceNorm(x),
    }),
    expect: ({ x, scale, offset }) => ({
      group: Float64Array.from(
        grouped(
          x,
          (i) => Math.floor(i / 12) * 2 + Math.floor((i % 4) / 2),
          (g) => standard(g, 1e-5),
        ),
        (v, i) => v * Number(scale.at(i % 4)) + Number(offset.at(i % 4)),
      ),
      instance: grouped(
        x,
        (i) => Math.floor(i / 12) * 4 + (i % 4),
        (g) => standard(g, 1e-5),
      ),
    }),
  }),
  opCase({
    op: 'Rsqrt',
    name: 'l2Normalize, nothing stays nothing',
    inputs: { x: random([3, 4]) },
    build: ({ x }) => [s.l2Normalize(x), s.l2Normalize(s.zerosLike(x))],
    expect: ({ x }) => [
      Float64Array.from(rowsOf(x).flatMap((r) => r.map((v) => v / Math.hypot(...r)))),
      new Float64Array(12),
    ],
  }),
  opCase({
    op: 'Pow',
    name: 'localResponseNormalization',
    inputs: { x: random([2, 6]) },
    symbolic: false,
    build: ({ x }) => s.localResponseNormalization(x, { depthRadius: 1, bias: 2, alpha: 0.5, beta: 0.75 }),
    expect: ({ x }) =>
      Float64Array.from(
        rowsOf(x).flatMap((r) =>
          r.map(
            (v, i) =>
              v / (2 + 0.5 * r.slice(Math.max(0, i - 1), i + 2).reduce((a, b) => a + b * b, 0)) ** 0.75,
          ),
        ),
      ),
  }),
  opCase({
    op: 'Softmax',
    name: 'attention with a mask, causal, and to nothing',
    inputs: { q: random([2, 3, 4]), k: random([2, 3, 4]), v: random([2, 3, 2]), mask: bools([3, 3]) },
    symbolic: false,
    build: ({ q, k, v, mask }) => ({
      plain: s.scaledDotProductAttention(q, k, v),
      masked: s.scaledDotProductAttention(q, k, v, { mask, scale: 1 }),
      causal: s.scaledDotProductAttention(q, k, v, { causal: true }),
    }),
    expect: ({ q, k, v, mask }) => {
      const attend = (scale: number, sees: (i: number, j: number) => boolean): Float64Array =>
        Float64Array.from(
          [0, 1].flatMap((b) =>
            [0, 1, 2].flatMap((i) => {
              const score = (j: number): number =>
                [0, 1, 2, 3].reduce(
                  (sum, d) => sum + Number(q.at(b, i, d)) * Number(k.at(b, j, d)) * scale,
                  0,
                )
              const seen = [0, 1, 2].filter((j) => sees(i, j))
              const weights = seen.length > 0 ? probabilities(seen.map(score)) : [1 / 3, 1 / 3, 1 / 3]
              return [0, 1].map((c) =>
                (seen.length > 0 ? seen : [0, 1, 2]).reduce(
                  (sum, j, n) => sum + weights[n]! * Number(v.at(b, j, c)),
                  0,
                ),
              )
            }),
          ),
        )
      return {
        plain: attend(0.5, () => true),
        masked: attend(1, (i, j) => mask.at(i, j) === true),
        causal: attend(0.5, (i, j) => j <= i),
      }
    },
  }),
  opCase({
    op: 'Gather',
    name: 'embeddingLookup',
    inputs: { table: random([5, 3]), ids: ints([2, 2], { high: 5 }) },
    build: ({ table, ids }) => s.embeddingLookup(table, ids),
    expect: ({ table, ids }) => Float64Array.from(ids.numbers().flatMap((id) => rowsOf(table)[id]!)),
  }),
  opCase({
    op: 'TensorScatter',
    name: 'embeddingLookupSparse by offsets and by segments',
    inputs: {
      table: random([6, 2]),
      ids: ints([5], { high: 6 }),
      weights: random([5], { low: 0.5, high: 2 }),
    },
    grad: ['table'],
    symbolic: false,
    build: ({ table, ids, weights }) => ({
      mean: s.embeddingLookupSparse(table, ids, { offsets: [0, 2, 2] }),
      sum: s.embeddingLookupSparse(table, ids, {
        segments: [1, 0, 1, 0, 0],
        bags: 2,
        combiner: 'sum',
        weights,
      }),
      sqrtn: s.embeddingLookupSparse(table, ids, {
        offsets: s.constant([0, 3], 'int64'),
        combiner: 'sqrtn',
        weights,
      }),
    }),
    expect: ({ table, ids, weights }) => {
      const bag = (members: readonly number[], weigh: (i: number) => number, share: number): number[] =>
        [0, 1].map(
          (c) =>
            members.reduce((sum, i) => sum + weigh(i) * Number(table.at(Number(ids.at(i)), c)), 0) * share,
        )
      const weight = (i: number): number => Number(weights.at(i))
      const root = (members: readonly number[]): number =>
        1 / Math.sqrt(members.reduce((sum, i) => sum + weight(i) ** 2, 0))
      return {
        mean: [bag([0, 1], () => 1, 1 / 2), [0, 0], bag([2, 3, 4], () => 1, 1 / 3)],
        sum: [bag([1, 3, 4], weight, 1), bag([0, 2], weight, 1)],
        sqrtn: [bag([0, 1, 2], weight, root([0, 1, 2])), bag([3, 4], weight, root([3, 4]))],
      }
    },
  }),
]
