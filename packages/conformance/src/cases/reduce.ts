// Reductions over axes, running ones along an axis, and those over groups.
import type { Tensor } from '@shoal/core'
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { bools, distinct, ints, values } from '../inputs.ts'

interface Over {
  readonly axes?: readonly number[]
  readonly keepDims?: boolean
}
type Row = readonly [
  op: string,
  build: (x: Tensor, over: Over) => Tensor,
  expect: (line: readonly number[]) => number,
]

const total = (line: readonly number[]): number => line.reduce((a, b) => a + b, 0)
const rows: readonly Row[] = [
  ['Sum', s.sum, total],
  ['Mean', s.mean, (line) => total(line) / line.length],
  ['Prod', s.prod, (line) => line.reduce((a, b) => a * b, 1)],
  ['Max', s.max, (line) => Math.max(...line)],
  ['Min', s.min, (line) => Math.min(...line)],
  ['LogSumExp', s.logSumExp, (line) => Math.log(total(line.map(Math.exp)))],
  ['EuclideanNorm', s.euclideanNorm, (line) => Math.hypot(...line)],
]
/** The lines of [2, 3, 4] over axes 0 and 2, over the last, over all. */
const overOuter = (x: readonly number[]) =>
  [0, 1, 2].map((j) => x.filter((_, i) => Math.floor(i / 4) % 3 === j))
const overLast = (x: readonly number[]) => Array.from({ length: 6 }, (_, r) => x.slice(4 * r, 4 * r + 4))
const axisCases = rows.map(([op, build, expect]) =>
  opCase({
    op,
    name: 'outer axes, last axis kept, all',
    inputs: { x: distinct([2, 3, 4]) },
    dtypes: ['float32', 'float64', 'float16'],
    secondOrder: op !== 'Prod',
    build: ({ x }) => {
      // Products of numbers up to 1.5 stay within every dtype.
      const y = op === 'Prod' ? s.add(x, 1.0625) : x
      return [build(y, { axes: [0, -1] }), build(y, { axes: [2], keepDims: true }), build(y, {})]
    },
    expect: ({ x }) => {
      const numbers = x.numbers().map((v) => (op === 'Prod' ? v + 1.0625 : v))
      return [
        Float64Array.from(overOuter(numbers), expect),
        Float64Array.from(overLast(numbers), expect),
        Float64Array.from([expect(numbers)]),
      ]
    },
  }),
)

const running: readonly (readonly [
  combine: 'sum' | 'prod' | 'max' | 'min' | 'logSumExp',
  nothing: number,
  join: (a: number, b: number) => number,
])[] = [
  ['sum', 0, (a, b) => a + b],
  ['prod', 1, (a, b) => a * b],
  ['max', Number.NEGATIVE_INFINITY, (a, b) => Math.max(a, b)],
  ['min', Number.POSITIVE_INFINITY, (a, b) => Math.min(a, b)],
  ['logSumExp', Number.NEGATIVE_INFINITY, (a, b) => Math.log(Math.exp(a) + Math.exp(b))],
]
const scan = (line: readonly number[], nothing: number, join: (a: number, b: number) => number): number[] =>
  line.map((_, i) => line.slice(0, i + 1).reduce(join, nothing))
const runningCases = running.flatMap(([combine, nothing, join]) => [
  opCase({
    op: 'Cumulative',
    name: `${combine} forwards and backwards`,
    inputs: { x: distinct([5], { step: 0.25 }) },
    dtypes: ['float32', 'float64'],
    build: ({ x }) => {
      const shifted = s.add(x, 0.3)
      return [s.cumulative(shifted, { combine }), s.cumulative(shifted, { combine, reverse: true })]
    },
    expect: ({ x }) => {
      const line = x.numbers().map((v) => v + 0.3)
      return [
        Float64Array.from(scan(line, nothing, join)),
        Float64Array.from(scan(line.toReversed(), nothing, join).reverse()),
      ]
    },
  }),
  opCase({
    op: 'Cumulative',
    name: `${combine} without the element itself`,
    inputs: { x: distinct([4], { step: 0.25 }) },
    // The first value, over nothing, is infinite for all but sums and products, and has no difference quotient.
    grad: combine === 'sum' || combine === 'prod',
    build: ({ x }) => s.cumulative(s.add(x, 0.7), { combine, exclusive: true }),
    expect: ({ x }) => [
      nothing,
      ...scan(
        x.numbers().map((v) => v + 0.7),
        nothing,
        join,
      ).slice(0, -1),
    ],
  }),
])

const x6 = [3, -1, 4, 1, -5, 9]
const groups = [2, 0, 2, 0, 0, 2]
const grouped: readonly (readonly [
  string,
  (x: Tensor, ids: Tensor, options?: { count?: number }) => Tensor,
  readonly number[],
])[] = [
  ['sum', s.unsortedSegmentSum, [-5, 0, 16]],
  ['mean', s.unsortedSegmentMean, [-5 / 3, 0, 16 / 3]],
  ['prod', s.unsortedSegmentProd, [5, 1, 108]],
  ['max', s.unsortedSegmentMax, [1, Number.NEGATIVE_INFINITY, 9]],
  ['min', s.unsortedSegmentMin, [-5, Number.POSITIVE_INFINITY, 3]],
]
const groupCases = grouped.flatMap(([name, build, expect]) => [
  opCase({
    op: 'TensorScatter',
    name: `${name} of groups`,
    inputs: { x: values(x6), ids: values(groups, 'int32') },
    // An empty group is infinite for extremes.
    grad: name !== 'max' && name !== 'min',
    build: ({ x, ids }) => build(x, ids, { count: 3 }),
    expect: [...expect],
  }),
  opCase({
    ops: ['SegmentSlots', 'SegmentStart', 'TensorScatter'],
    name: `${name} of rows in as many groups as there are`,
    inputs: { x: distinct([4, 2]), ids: values([0, 0, 1, 1], 'int32') },
    build: ({ x, ids }) => build(s.add(x, 0.1), ids),
    expect: ({ x }) => {
      const v = x.numbers().map((n) => n + 0.1)
      const join = {
        sum: (a: number, b: number) => a + b,
        mean: (a: number, b: number) => (a + b) / 2,
        prod: (a: number, b: number) => a * b,
        max: Math.max,
        min: Math.min,
      }[name]!
      return [
        [join(v[0]!, v[2]!), join(v[1]!, v[3]!)],
        [join(v[4]!, v[6]!), join(v[5]!, v[7]!)],
      ]
    },
  }),
])

export const reduceCases: readonly OpCase[] = [
  ...axisCases,
  ...runningCases,
  ...groupCases,
  opCase({
    ops: ['Sum', 'Prod', 'Max', 'Min'],
    name: 'integers',
    inputs: { x: ints([2, 3], { low: -4, high: 5 }) },
    build: ({ x }) => [s.sum(x), s.prod(x, { axes: [0] }), s.max(x, { axes: [1] }), s.min(x)],
    expect: ({ x }) => {
      const v = x.numbers()
      return [
        Int32Array.of(total(v)),
        Int32Array.from([0, 1, 2], (i) => v[i]! * v[i + 3]!),
        Int32Array.of(Math.max(...v.slice(0, 3)), Math.max(...v.slice(3))),
        Int32Array.of(Math.min(...v)),
      ]
    },
  }),
  opCase({
    ops: ['Sum', 'Prod', 'Max', 'Min', 'Mean'],
    name: 'nothing',
    inputs: { x: values([[], []], 'float32') },
    grad: false,
    build: ({ x }) => [s.sum(x), s.prod(x), s.max(x, { axes: [1] }), s.min(x), s.mean(x)],
    expect: [
      Float64Array.of(0),
      Float64Array.of(1),
      Float64Array.of(-Infinity, -Infinity),
      Float64Array.of(Infinity),
      Float64Array.of(Number.NaN),
    ],
  }),
  opCase({
    ops: ['Max', 'Min', 'Maximum', 'Minimum', 'Cumulative'],
    name: 'one NaN spoils all',
    inputs: { x: values([1, Number.NaN, 3]) },
    grad: false,
    build: ({ x }) => [s.max(x), s.min(x), s.maximum(x, 2), s.minimum(x, 2), s.cumMax(x)],
    expect: [Number.NaN, Number.NaN, [2, Number.NaN, 3], [1, Number.NaN, 2], [1, Number.NaN, Number.NaN]],
  }),
  opCase({
    op: 'Prod',
    name: 'gradients beside one zero and beside two',
    inputs: {
      x: values([
        [2, 0, 3],
        [0, 0, 5],
      ]),
    },
    grad: false,
    build: ({ x }) => s.gradients(s.prod(x, { axes: [1] }), [x])[0]!,
    expect: [
      [0, 6, 0],
      [0, 0, 0],
    ],
  }),
  opCase({
    op: 'Cumulative',
    name: 'product gradients beside zeros',
    inputs: { x: values([2, 0, 3, 0, 5]) },
    grad: false,
    build: ({ x }) => [
      s.gradients(s.cumProd(x), [x])[0]!,
      s.gradients(s.cumProd(x, { exclusive: true, reverse: true }), [x])[0]!,
    ],
    // d/dx of 2 + 0 + 0·… is 1 + (what follows); and of 1 + 5 + 5·0 + … from the other end.
    expect: [
      [1, 8, 0, 0, 0],
      [0, 0, 0, 20, 1],
    ],
  }),
  opCase({
    ops: ['Max', 'Min'],
    name: 'ties share the gradient',
    inputs: { x: values([1, 3, 3, 1]) },
    grad: false,
    build: ({ x }) => s.gradients([s.max(x), s.min(x)], [x])[0]!,
    expect: [0.5, 0.5, 0.5, 0.5],
  }),
  opCase({
    ops: ['Any', 'All'],
    name: 'rows',
    inputs: { x: bools([4, 3]) },
    build: ({ x }) => [
      s.any(x, { axes: [1] }),
      s.all(x, { axes: [1] }),
      s.any(x),
      s.all(x, { axes: [0], keepDims: true }),
    ],
    expect: ({ x }) => {
      const v = x.numbers()
      const line = (i: number) => v.slice(3 * i, 3 * i + 3)
      const flags = (list: readonly boolean[]) => Uint8Array.from(list, (b) => (b ? 1 : 0))
      return [
        flags([0, 1, 2, 3].map((i) => line(i).includes(1))),
        flags([0, 1, 2, 3].map((i) => !line(i).includes(0))),
        flags([v.includes(1)]),
        flags([0, 1, 2].map((j) => [0, 1, 2, 3].every((i) => v[3 * i + j] === 1))),
      ]
    },
  }),
  opCase({
    ops: ['ArgMax', 'ArgMin'],
    name: 'the first of several, and NaN',
    inputs: {
      x: values([
        [3, 7, 7, 1],
        [5, 5, 2, 2],
        [0, Number.NaN, 9, Number.NaN],
      ]),
    },
    grad: false,
    build: ({ x }) => [
      s.argMax(x, { axis: 1 }),
      s.argMin(x, { axis: -1, keepDims: true }),
      s.argMax(x, { dtype: 'int64' }),
    ],
    expect: [[1, 0, 1], [[3], [2], [1]], Int32Array.of(1, 2, 2, 2)],
  }),
  opCase({
    ops: ['Max', 'Mean', 'KeepReduced'],
    name: 'norms and moments',
    inputs: { x: distinct([3, 4]) },
    build: ({ x }) => {
      const { mean, variance } = s.moments(x, { axes: [0] })
      return [
        s.norm(x, { order: 1 }),
        s.norm(x, { order: Infinity, axes: [1] }),
        s.norm(x, { order: 3, axes: [1] }),
        mean,
        variance,
        s.standardDeviation(x),
      ]
    },
    expect: ({ x }) => {
      const v = x.numbers()
      const line = (i: number) => v.slice(4 * i, 4 * i + 4)
      const column = (j: number) => [v[j]!, v[4 + j]!, v[8 + j]!]
      const mean = (list: readonly number[]) => total(list) / list.length
      const variance = (list: readonly number[]) => mean(list.map((a) => a * a)) - mean(list) ** 2
      return [
        Float64Array.of(total(v.map(Math.abs))),
        Float64Array.from([0, 1, 2], (i) => Math.max(...line(i).map(Math.abs))),
        Float64Array.from([0, 1, 2], (i) => Math.cbrt(total(line(i).map((a) => Math.abs(a) ** 3)))),
        Float64Array.from([0, 1, 2, 3], (j) => mean(column(j))),
        Float64Array.from([0, 1, 2, 3], (j) => variance(column(j))),
        Float64Array.of(Math.sqrt(variance(v))),
      ]
    },
  }),
  opCase({
    op: 'Cumulative',
    name: 'integers along the first axis',
    inputs: { x: ints([3, 2], { low: -3, high: 4 }), y: values([2n ** 53n, 1n, 1n]) },
    build: ({ x, y }) => [s.cumSum(x), s.cumMax(x, { exclusive: true }), s.cumSum(y)],
    expect: ({ x }) => {
      const [a, b, c, d, e, f] = x.numbers() as [number, number, number, number, number, number]
      return [
        [
          [a, b],
          [a + c, b + d],
          [a + c + e, b + d + f],
        ],
        [
          [-2147483648, -2147483648],
          [a, b],
          [Math.max(a, c), Math.max(b, d)],
        ],
        [2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 2n],
      ]
    },
  }),
  opCase({
    op: 'TensorScatter',
    name: 'product gradients beside zeros',
    inputs: { x: values([2, 0, 3, 0, 0, 5]), ids: values([0, 0, 0, 1, 1, 1], 'int32') },
    grad: false,
    build: ({ x, ids }) => s.gradients(s.unsortedSegmentProd(x, ids, { count: 2 }), [x])[0]!,
    expect: [0, 6, 0, 0, 0, 0],
  }),
  opCase({
    ops: ['Sum', 'Size', 'TensorScatter'],
    name: 'counting',
    inputs: {
      x: values([
        [0, 2, 0],
        [-1, 0, 5],
      ]),
      n: values([1, 3, 1, 0, 7], 'int32'),
    },
    grad: false,
    build: ({ x, n }) => [
      s.countNonzero(x, { axes: [1] }),
      s.zeroFraction(x),
      s.bincount(n, { count: 4 }),
      s.bincount(n, { count: 4, weights: s.constant([0.5, 1, 2, 3, 4], x.dtype) }),
      s.histogram(x, { low: -1, high: 5, bins: 3 }),
    ],
    expect: [[1, 2], 0.5, [1, 2, 0, 1], [3, 2.5, 0, 1], [4, 1, 1]],
  }),
]
