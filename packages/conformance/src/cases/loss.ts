// Losses: cross entropies from logits, distances between predictions and targets, CTC.
import type { NDArray, Tensor } from '@shoal/core'
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { ints, random, values } from '../inputs.ts'

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const probabilities = (xs: readonly number[]): number[] => {
  const total = xs.reduce((a, b) => a + Math.exp(b), 0)
  return xs.map((v) => Math.exp(v) / total)
}
const rowsOf = (x: NDArray): number[][] => {
  const width = x.shape.at(-1)!
  return Array.from({ length: x.size / width }, (_, r) => x.numbers().slice(r * width, (r + 1) * width))
}
const total = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0)
const fraction = { low: 0.1, high: 0.9 } as const

type Loss = (
  prediction: Tensor,
  target: Tensor,
  options: { readonly reduction: 'none' | 'mean' | 'sum' },
) => Tensor
/** Losses of each row [width] or element of [4, 3] predictions and targets in (0, 1). */
const distances: readonly (readonly [
  name: string,
  op: string,
  build: Loss,
  expect: (p: number[], t: number[]) => number[],
])[] = [
  ['meanSquaredError', 'SquaredDifference', s.meanSquaredError, (p, t) => p.map((v, i) => (v - t[i]!) ** 2)],
  ['meanAbsoluteError', 'Abs', s.meanAbsoluteError, (p, t) => p.map((v, i) => Math.abs(v - t[i]!))],
  [
    'huber',
    'Minimum',
    (p, t, options) => s.huber(p, t, { delta: 0.25, ...options }),
    (p, t) =>
      p.map((v, i) => {
        const error = Math.abs(v - t[i]!)
        return error <= 0.25 ? error ** 2 / 2 : 0.25 * (error - 0.125)
      }),
  ],
  [
    'hinge',
    'Relu',
    (p, t, options) => s.hinge(p, s.sign(s.sub(t, 0.5)), options),
    (p, t) => p.map((v, i) => Math.max(0, 1 - v * Math.sign(t[i]! - 0.5))),
  ],
  [
    'logLoss',
    'Log',
    s.logLoss,
    (p, t) => p.map((v, i) => -t[i]! * Math.log(v + 1e-7) - (1 - t[i]!) * Math.log(1 - v + 1e-7)),
  ],
  [
    'klDivergence',
    'Xlogy',
    s.klDivergence,
    (p, t) => [total(p.map((v, i) => t[i]! * Math.log(t[i]! / (v + 1e-7))))],
  ],
  [
    'cosineDistance',
    'Rsqrt',
    s.cosineDistance,
    (p, t) => [1 - total(p.map((v, i) => v * t[i]!)) / Math.hypot(...p) / Math.hypot(...t)],
  ],
]
const distanceCases = distances.map(([name, op, build, expect]) =>
  opCase({
    op,
    name: `${name} in every reduction`,
    inputs: { p: random([4, 3], fraction), t: random([4, 3], fraction) },
    grad: ['p'],
    build: ({ p, t }) => ({
      none: build(p, t, { reduction: 'none' }),
      mean: build(p, t, { reduction: 'mean' }),
      sum: build(p, t, { reduction: 'sum' }),
    }),
    expect: ({ p, t }) => {
      const each = rowsOf(p).flatMap((row, i) => expect(row, rowsOf(t)[i]!))
      return { none: Float64Array.from(each), mean: total(each) / each.length, sum: total(each) }
    },
  }),
)

/** The probability of a labelling as the sum over all paths of classes, each path read without repetitions and blanks. */
function readings(scores: readonly number[][], labels: readonly number[], blank: number): number {
  const classes = scores[0]!.length
  let sum = 0
  for (let path = 0; path < classes ** scores.length; path++) {
    const steps = scores.map((_, t) => Math.floor(path / classes ** t) % classes)
    const read = steps.filter((c, t) => c !== blank && c !== steps[t - 1])
    if (read.length === labels.length && read.every((c, i) => c === labels[i]))
      sum += steps.reduce((product, c, t) => product * probabilities(scores[t]!)[c]!, 1)
  }
  return sum
}

/** Cases of ops/loss. */
export const lossCases: readonly OpCase[] = [
  ...distanceCases,
  opCase({
    op: 'LogSoftmax',
    name: 'softmaxCrossEntropy',
    inputs: { x: random([4, 3]), z: random([4, 3], fraction) },
    dtypes: ['float32', 'float64', 'float16'],
    secondOrder: true,
    build: ({ x, z }) => [s.softmaxCrossEntropy(x, z), s.softmaxCrossEntropy(x, z, { reduction: 'mean' })],
    expect: ({ x, z }) => {
      const each = rowsOf(x).map(
        (row, i) => -total(probabilities(row).map((p, c) => rowsOf(z)[i]![c]! * Math.log(p))),
      )
      return [Float64Array.from(each), total(each) / 4]
    },
  }),
  opCase({
    ops: ['LogSoftmax', 'IndexLike'],
    name: 'sparseSoftmaxCrossEntropy, one label is no class',
    inputs: {
      x: random([2, 2, 3]),
      labels: values(
        [
          [0, 2],
          [-1, 1],
        ],
        'int32',
      ),
    },
    secondOrder: true,
    build: ({ x, labels }) => s.sparseSoftmaxCrossEntropy(x, labels),
    expect: ({ x, labels }) =>
      Float64Array.from(rowsOf(x).map((row, i) => -Math.log(probabilities(row)[labels.numbers()[i]!] ?? 1))),
  }),
  opCase({
    op: 'Log1p',
    name: 'sigmoidCrossEntropy and weightedCrossEntropy',
    inputs: { x: random([4, 3]), z: random([4, 3], fraction) },
    secondOrder: true,
    build: ({ x, z }) => [s.sigmoidCrossEntropy(x, z), s.weightedCrossEntropy(x, z, { positiveWeight: 2.5 })],
    expect: ({ x, z }) => {
      const each = (weight: number) =>
        Float64Array.from(
          x.numbers(),
          (v, i) =>
            -weight * z.numbers()[i]! * Math.log(sigmoid(v)) -
            (1 - z.numbers()[i]!) * Math.log(1 - sigmoid(v)),
        )
      return [each(1), each(2.5)]
    },
  }),
  opCase({
    op: 'Log1p',
    name: 'sigmoidCrossEntropy far out',
    build: () => s.sigmoidCrossEntropy([-200, 200, 200], [0, 1, 0]),
    expect: [0, 0, 200],
  }),
  opCase({
    op: 'CtcLoss',
    name: 'the sum over all paths',
    inputs: {
      logits: random([4, 2, 3]),
      labels: values(
        [
          [1, 1],
          [2, 1],
        ],
        'int32',
      ),
    },
    dtypes: ['float32', 'float64'],
    build: ({ logits, labels }) => s.ctcLoss(logits, labels, [2, 1], [4, 3]),
    expect: ({ logits }) => {
      const scores = (n: number, steps: number) =>
        Array.from({ length: steps }, (_, t) => [0, 1, 2].map((c) => Number(logits.at(t, n, c))))
      return [-Math.log(readings(scores(0, 4), [1, 1], 0)), -Math.log(readings(scores(1, 3), [2], 0))]
    },
  }),
  opCase({
    op: 'CtcLoss',
    name: 'the last class is blank; no label; too short for its labels',
    inputs: { logits: random([2, 2, 3]), labels: ints([2, 3], { high: 1 }) },
    grad: false,
    build: ({ logits, labels }) => s.ctcLoss(logits, labels, [0, 2], [2, 2], { blank: 2 }),
    expect: ({ logits }) => [
      -total(
        [0, 1].map((t) => Math.log(probabilities([0, 1, 2].map((c) => Number(logits.at(t, 0, c))))[2]!)),
      ),
      Infinity,
    ],
  }),
]
