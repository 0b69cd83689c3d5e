// Random numbers: the words themselves are exact, what is made of them has the right range and spread.
import type { Tensor } from '@shoal/core'
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { random, values } from '../inputs.ts'

const key = (a = 1, b = 2): Tensor => s.constant([a, b], 'uint32')
const word = (i: number, a = 1, b = 2, kind = 0): readonly [number, number] => s.threefry([a, b], [i, kind])
const many = [4096]
/** Is a statistic of many draws within `margin` of what it should be? */
const near = (x: Tensor, wanted: number, margin: number): Tensor => s.less(s.abs(s.sub(x, wanted)), margin)
const within = (x: Tensor, low: number, high: number): Tensor =>
  s.logicalAnd(s.greaterEqual(s.min(x), low), s.lessEqual(s.max(x), high))
const meanOf = (x: Tensor): Tensor => s.mean(x)

/** Cases of ops/random. */
export const randomCases: readonly OpCase[] = [
  opCase({
    ops: ['RandomBits', 'Threefry'],
    name: 'element i is the scramble of i',
    build: () => [
      s.randomBits(key(), { shape: [2, 3] }),
      s.randomBits(key(), { shape: [2], word: 1 }),
      s.randomBits(key(), { shape: [] }),
    ],
    expect: [
      [[0, 1, 2].map((i) => word(i)[0]), [3, 4, 5].map((i) => word(i)[0])],
      [word(0)[1], word(1)[1]],
      word(0)[0],
    ],
  }),
  opCase({
    op: 'RandomBitsLike',
    name: 'the shape of another tensor',
    inputs: { x: random([3]) },
    grad: false,
    build: ({ x }) => s.randomBitsLike(key(), x),
    expect: [0, 1, 2].map((i) => word(i)[0]),
  }),
  opCase({
    ops: ['FoldIn', 'KeyOfWords'],
    name: 'keys of a key',
    build: () => [s.foldIn(key(), 7), ...s.splitKey(key(5, 6))],
    expect: [word(7, 1, 2, 1), word(0, 5, 6, 1), word(1, 5, 6, 1)].map((pair) => [...pair]),
  }),
  opCase({
    op: 'Threefry',
    name: 'uniform numbers, exactly',
    dtypes: ['float32', 'float64', 'float16'],
    build: (_, dtype) => s.statelessUniform(key(), { shape: [5], dtype }),
    expect: (_, dtype) => {
      const bits = dtype === 'float16' ? 11 : dtype === 'float32' ? 24 : 32
      return [0, 1, 2, 3, 4].map((i) => Math.floor(word(i)[0] / 2 ** (32 - bits)) / 2 ** bits)
    },
  }),
  opCase({
    op: 'Threefry',
    name: 'normal numbers by Box and Muller',
    build: () => s.statelessNormal(key(), { shape: [6], mean: 3, deviation: 2 }),
    expect: [0, 1, 2, 3, 4, 5].map((i) => {
      const [u, v] = word(i).map((w) => Math.floor(w / 256) / 2 ** 24) as [number, number]
      return 3 + 2 * Math.sqrt(-2 * Math.log1p(-u)) * Math.cos(2 * Math.PI * v)
    }),
  }),
  opCase({
    op: 'Threefry',
    name: 'whole numbers and coins',
    build: () => [
      s.statelessInt(key(), { shape: [6], low: -3, high: 7 }),
      s.statelessBernoulli(key(), { shape: [6], p: 0.25 }),
    ],
    expect: [
      [0, 1, 2, 3, 4, 5].map((i) => (word(i)[0] % 10) - 3),
      [0, 1, 2, 3, 4, 5].map((i) => word(i)[0] < 2 ** 30),
    ],
  }),
  opCase({
    op: 'Threefry',
    name: 'range and spread of many',
    build: () => {
      const uniform = s.statelessUniform(key(), { shape: many, low: -2, high: 4 })
      const normal = s.statelessNormal(key(), { shape: many })
      const cut = s.statelessTruncatedNormal(key(), { shape: many, mean: 1, deviation: 0.5 })
      // Margins are five standard errors of 4096 draws.
      return s.stack([
        within(uniform, -2, 4),
        near(meanOf(uniform), 1, 0.14),
        near(s.variance(uniform), 3, 0.21),
        near(meanOf(normal), 0, 0.08),
        near(s.variance(normal), 1, 0.11),
        within(cut, 0, 2),
        near(meanOf(cut), 1, 0.035),
        near(s.standardDeviation(cut), 0.5 * 0.8796, 0.02),
      ])
    },
    expect: new Array(8).fill(true),
  }),
  opCase({
    op: 'ArgMax',
    name: 'categorical draws follow their logits',
    build: () => {
      const drawn = s.statelessCategorical(
        key(),
        s.log(
          s.constant([
            [0.25, 0.75],
            [1, 0],
          ]),
        ),
        { count: 4096 },
      )
      return near(s.mean(s.cast(drawn, { to: 'float32' }), { axes: [1] }), 0.75, 0.034)
    },
    expect: [true, false],
  }),
  opCase({
    ops: ['Sort', 'Gather'],
    name: 'a shuffle keeps every row',
    inputs: { x: values([1, 2, 3, 4, 5, 6, 7, 8]) },
    build: ({ x }) => s.sort(s.statelessShuffle(key(), x)),
    expect: [1, 2, 3, 4, 5, 6, 7, 8],
  }),
  opCase({
    op: 'Select',
    name: 'dropout keeps what the words say',
    inputs: { x: random([8]) },
    build: ({ x }) => s.dropout(x, { rate: 0.25, key: key() }),
    expect: ({ x }) => Float64Array.from(x.numbers(), (v, i) => (word(i)[0] < 0.75 * 2 ** 32 ? v / 0.75 : 0)),
  }),
  opCase({
    op: 'RandomKey',
    name: 'one stream, one key for all its readers in a run; a seed makes two streams equal',
    runs: 2,
    build: () => {
      const [one, other] = [s.randomKey({ seed: 3 }), s.randomKey({ seed: 3 })]
      return [
        s.equal(one, other),
        s.sub(s.randomBits(one, { shape: [2] }), s.randomBits(one, { shape: [2] })),
      ]
    },
    expect: [
      [true, true],
      [0, 0],
    ],
  }),
  opCase({
    op: 'Qr',
    name: 'orthogonal weights are orthogonal',
    build: () => {
      const [wide, tall] = [
        s.orthogonal([3, 5], { key: key() }),
        s.orthogonal([2, 4, 3], { key: key(), gain: 2 }),
      ]
      const flat = s.reshape(tall, { shape: [8, 3] })
      return [s.matmul(wide, wide, { transposeB: true }), s.matmul(flat, flat, { transposeA: true })]
    },
    expect: [1, 4].map((v) => [
      [v, 0, 0],
      [0, v, 0],
      [0, 0, v],
    ]),
  }),
  opCase({
    op: 'Threefry',
    name: 'spread of weights',
    build: () => {
      const shape = [3, 3, 16, 32]
      const variances = [
        [s.glorotUniform, 2 / (9 * 48)],
        [s.glorotNormal, 2 / (9 * 48)],
        [s.heUniform, 2 / 144],
        [s.heNormal, 2 / 144],
        [s.lecunUniform, 1 / 144],
        [s.lecunNormal, 1 / 144],
      ] as const
      return s.stack(
        variances.map(([make, wanted]) =>
          near(s.variance(make(shape, { key: key() })), wanted, wanted * 0.12),
        ),
      )
    },
    expect: new Array(6).fill(true),
  }),
]
