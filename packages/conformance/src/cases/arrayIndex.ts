// Ops that move elements by indices: gather, scatter, order, search, one-hot vectors, what is true, what differs.
import type { NDArray } from '@shoal/core'
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { bools, distinct, ints, random, values } from '../inputs.ts'

const pick = (x: NDArray, positions: readonly number[]): Float64Array =>
  Float64Array.from(positions, (i) => (i < 0 ? 0 : x.numbers()[i]!))

export const arrayIndexCases: readonly OpCase[] = [
  opCase({
    op: 'Gather',
    name: 'rows, also the same twice and out of range',
    inputs: {
      x: random([4, 2]),
      i: values(
        [
          [3, 0],
          [3, 9],
        ],
        'int32',
      ),
    },
    dtypes: ['float32', 'float16', 'int64'],
    build: ({ x, i }) => s.gather(x, i),
    expect: ({ x }) => pick(x, [6, 7, 0, 1, 6, 7, -1, -1]),
  }),
  opCase({
    ops: ['Gather', 'GatherBack'],
    name: 'an inner axis',
    inputs: { x: random([2, 3, 2]), i: values([2n, 2n, -1n]) },
    secondOrder: true,
    build: ({ x, i }) => s.gather(x, i, { axis: 1 }),
    expect: ({ x }) => pick(x, [4, 5, 4, 5, -1, -1, 10, 11, 10, 11, -1, -1]),
  }),
  opCase({
    ops: ['Gather', 'GatherBack'],
    name: 'in batches',
    inputs: {
      x: random([2, 3]),
      y: random([2, 2, 3]),
      i: values(
        [
          [2, 0],
          [1, 1],
        ],
        'int32',
      ),
    },
    secondOrder: true,
    build: ({ x, y, i }) => [s.gather(x, i, { batchDims: 1 }), s.gather(y, i, { axis: 2, batchDims: 1 })],
    expect: ({ x, y }) => [pick(x, [2, 0, 4, 4]), pick(y, [2, 0, 5, 3, 7, 7, 10, 10])],
  }),
  opCase({
    ops: ['GatherNd', 'TensorScatter'],
    name: 'elements and rows',
    inputs: {
      x: random([3, 2]),
      i: values(
        [
          [2, 1],
          [0, 0],
          [2, 1],
          [3, 0],
        ],
        'int32',
      ),
      rows: values([[1], [1]], 'int32'),
    },
    symbolic: false,
    secondOrder: true,
    build: ({ x, i, rows }) => [s.gatherNd(x, i), s.gatherNd(x, rows)],
    expect: ({ x }) => [pick(x, [5, 0, 5, -1]), pick(x, [2, 3, 2, 3])],
  }),
  ...(['set', 'add', 'sub', 'mul', 'min', 'max'] as const).map((update) =>
    opCase({
      op: 'TensorScatter',
      name: `${update} elements, one out of range`,
      inputs: {
        x: distinct([2, 3]),
        i: values(
          [
            [1, 2],
            [0, 1],
            [5, 0],
          ],
          'int32',
        ),
        u: distinct([3], { step: 0.3 }),
      },
      dtypes: ['float32', 'int32'],
      symbolic: false,
      secondOrder: update !== 'min' && update !== 'max',
      build: ({ x, i, u }) => s.tensorScatter(s.add(x, update === 'mul' ? 2 : 0), i, u, { update }),
      expect: ({ x, u }) => {
        const result = x.numbers().map((v) => v + (update === 'mul' ? 2 : 0))
        const [p, q] = u.numbers() as [number, number]
        const join = (old: number, next: number) =>
          ({
            set: next,
            add: old + next,
            sub: old - next,
            mul: old * next,
            min: Math.min(old, next),
            max: Math.max(old, next),
          })[update]
        result[5] = join(result[5]!, p)
        result[1] = join(result[1]!, q)
        return Float64Array.from(result)
      },
    }),
  ),
  opCase({
    op: 'TensorScatter',
    name: 'rows named twice get both',
    inputs: { i: values([[1], [3], [1]], 'int32'), u: random([3, 2]) },
    build: ({ i, u }) => s.scatterNd(i, u, { shape: [4, 2] }),
    expect: ({ u }) => {
      const [a, b, c, d, e, f] = u.numbers() as [number, number, number, number, number, number]
      return [
        [0, 0],
        [a + e, b + f],
        [0, 0],
        [c, d],
      ]
    },
  }),
  opCase({
    op: 'TensorScatter',
    name: 'ties for an extreme share the gradient',
    inputs: { x: values([2, 5]), u: values([2, 1]) },
    grad: false,
    build: ({ x, u }) => s.gradients(s.tensorScatter(x, [[0], [1]], u, { update: 'max' }), [x, u]),
    expect: [Float64Array.of(0.5, 1), Float64Array.of(0.5, 0)],
  }),
  opCase({
    ops: ['TakeAlongAxis', 'PutAlongAxis'],
    name: 'set and add along the first axis',
    inputs: { x: random([3, 2]), i: values([[2, 0]], 'int32'), u: random([1, 2]) },
    secondOrder: true,
    build: ({ x, i, u }) => [
      s.takeAlongAxis(x, i, { axis: 0 }),
      s.putAlongAxis(x, i, u, { axis: 0 }),
      s.putAlongAxis(x, i, u, { axis: 0, update: 'add' }),
    ],
    expect: ({ x, u }) => {
      const [a, b, c, d, e, f] = x.numbers() as [number, number, number, number, number, number]
      const [p, q] = u.numbers() as [number, number]
      return [
        [[e, b]],
        [
          [a, q],
          [c, d],
          [p, f],
        ],
        [
          [a, b + q],
          [c, d],
          [e + p, f],
        ],
      ]
    },
  }),
  opCase({
    op: 'TopK',
    name: 'greatest and least',
    inputs: { x: distinct([2, 5]) },
    dtypes: ['float32', 'float64', 'float16'],
    build: ({ x }) => [...s.topK(x, { k: 3 }), s.topK(x, { k: 2, largest: false })[0]],
    expect: ({ x }) => {
      const lines = [x.numbers().slice(0, 5), x.numbers().slice(5)]
      const down = lines.map((line) => line.toSorted((a, b) => b - a).slice(0, 3))
      return [
        down,
        down.map((line, i) => line.map((v) => lines[i]!.indexOf(v))),
        lines.map((line) => line.toSorted((a, b) => a - b).slice(0, 2)),
      ]
    },
  }),
  opCase({
    op: 'TopK',
    name: 'equal elements keep their order, NaN is the greatest',
    inputs: { x: values([2, 7, Number.NaN, 7, 2]) },
    grad: false,
    build: ({ x }) => [s.topK(x, { k: 4 })[1], s.topK(x, { k: 5, largest: false, dtype: 'int64' })[1]],
    expect: [
      [2, 1, 3, 0],
      [0, 4, 1, 3, 2],
    ],
  }),
  opCase({
    op: 'Sort',
    name: 'both ways along both axes',
    inputs: { x: distinct([3, 4]) },
    build: ({ x }) => [s.sort(x), s.sort(x, { axis: 0, descending: true }), s.argSort(x)],
    expect: ({ x }) => {
      const v = x.numbers()
      const lines = [v.slice(0, 4), v.slice(4, 8), v.slice(8)]
      const sorted = lines.map((line) => line.toSorted((a, b) => a - b))
      const columns = [0, 1, 2, 3].map((j) => lines.map((line) => line[j]!).sort((a, b) => b - a))
      return [
        sorted,
        [0, 1, 2].map((i) => columns.map((column) => column[i]!)),
        sorted.map((line, i) => line.map((w) => lines[i]!.indexOf(w))),
      ]
    },
  }),
  opCase({
    op: 'SearchSorted',
    name: 'before and after equals',
    inputs: { sorted: values([1, 3, 3, 7]), x: values([0, 1, 3, 5, 9]) },
    dtypes: ['float32', 'int32'],
    grad: false,
    build: ({ sorted, x }) => [s.searchSorted(sorted, x), s.searchSorted(sorted, x, { side: 'right' })],
    expect: [
      [0, 0, 1, 3, 4],
      [0, 1, 3, 3, 4],
    ],
  }),
  opCase({
    op: 'SearchSorted',
    name: 'long lists, one for each row',
    inputs: {
      list: ints([2, 37], { low: -30, high: 30, dtype: 'int32' }),
      x: ints([2, 3, 4], { low: -35, high: 35, dtype: 'int32' }),
    },
    grad: false,
    build: ({ list, x }) => {
      const sorted = s.sort(list)
      const flat = s.reshape(x, { shape: [2, 12] })
      return [
        s.searchSorted(sorted, flat),
        s.searchSorted(sorted, flat, { side: 'right', dtype: 'int64' }),
        s.searchSorted(s.reshape(s.slice(sorted, { begin: [0, 0], size: [1, 37] }), { shape: [37] }), x),
      ]
    },
    expect: ({ list, x }) => {
      const [lists, sought] = [list.numbers(), x.numbers()]
      const count = (row: number, before: (item: number) => boolean): number =>
        lists.slice(37 * row, 37 * row + 37).filter(before).length
      return [
        [0, 1].map((row) => sought.slice(12 * row, 12 * row + 12).map((v) => count(row, (w) => w < v))),
        [0, 1].map((row) =>
          sought.slice(12 * row, 12 * row + 12).map((v) => BigInt(count(row, (w) => w <= v))),
        ),
        Int32Array.from(sought, (v) => count(0, (w) => w < v)),
      ]
    },
  }),
  opCase({
    op: 'OneHot',
    name: 'last axis, first axis, out of range',
    inputs: { i: values([1, 4, 0], 'int32') },
    build: ({ i }, dtype) => [
      s.oneHot(i, { depth: 3, dtype }),
      s.oneHot(i, { depth: 2, axis: 0, on: 5, off: -1 }),
    ],
    expect: [
      [
        [0, 1, 0],
        [0, 0, 0],
        [1, 0, 0],
      ],
      [
        [-1, -1, 5],
        [5, -1, -1],
      ],
    ],
  }),
  opCase({
    op: 'ArgWhere',
    name: 'the indices of what is true',
    inputs: {
      x: values([
        [true, false],
        [false, true],
        [true, true],
      ]),
      none: values([0, 0]),
    },
    grad: false,
    build: ({ x, none }) => [s.argWhere(x), s.where(none), s.where(x, 1, none)],
    expect: [
      [
        [0, 0],
        [1, 1],
        [2, 0],
        [2, 1],
      ],
      new Int32Array(),
      [
        [1, 0],
        [0, 1],
        [1, 1],
      ],
    ],
  }),
  opCase({
    op: 'ArgWhere',
    name: 'zeros of either sign, NaN, and indices of 64 bits',
    inputs: {
      x: values(
        [
          [
            [-0, NaN],
            [0, 2],
          ],
          [
            [-1, 0],
            [Infinity, -0],
          ],
        ],
        'float32',
      ),
    },
    dtypes: ['float32', 'float16', 'float64'],
    grad: false,
    build: ({ x }, dtype) => [s.argWhere(s.cast(x, { to: dtype }), { dtype: 'int64' })],
    expect: [
      [
        [0n, 0n, 1n],
        [0n, 1n, 1n],
        [1n, 0n, 0n],
        [1n, 1n, 0n],
      ],
    ],
  }),
  opCase({
    ops: ['ArgWhere', 'Gather'],
    name: 'a mask',
    inputs: {
      x: random([3, 2]),
      mask: values([true, false, true]),
      flat: values([
        [false, true],
        [true, false],
        [false, false],
      ]),
    },
    build: ({ x, mask, flat }) => [s.booleanMask(x, mask), s.booleanMask(x, flat)],
    expect: ({ x }) => [pick(x, [0, 1, 4, 5]), pick(x, [1, 2])],
  }),
  opCase({
    op: 'Unique',
    name: 'numbers and texts',
    inputs: { x: values([4, 2, 4, 4, 9], 'int32'), t: values(['b', 'a', 'b']) },
    build: ({ x, t }) => [...s.unique(x), ...s.unique(t)],
    expect: [
      [4, 2, 9],
      [0, 1, 0, 0, 2],
      [3, 1, 1],
      ['b', 'a'],
      [0, 1, 0],
      [2, 1],
    ],
  }),
  opCase({
    op: 'Unique',
    name: 'zeros of either sign, NaN, large integers, many values',
    inputs: {
      x: values([NaN, -0, 0.5, 0, NaN, -Infinity], 'float32'),
      large: values([2n ** 40n, 1n, 2n ** 40n + 1n, -1n, 1n], 'int64'),
      many: ints([700], { low: -500, high: 500, dtype: 'int32' }),
    },
    grad: false,
    build: ({ x, large, many }) => [
      ...s.unique(x),
      ...s.unique(large, { dtype: 'int64' }),
      ...s.unique(many),
    ],
    expect: ({ many }) => {
      const numbers = many.numbers()
      const different = [...new Set(numbers)]
      return [
        [NaN, 0, 0.5, -Infinity],
        [0, 1, 2, 1, 0, 3],
        [2, 2, 1, 1],
        [2n ** 40n, 1n, 2n ** 40n + 1n, -1n],
        [0n, 1n, 2n, 3n, 1n],
        [1n, 2n, 1n, 1n],
        Int32Array.from(different),
        Int32Array.from(numbers, (v) => different.indexOf(v)),
        Int32Array.from(different, (v) => numbers.filter((w) => w === v).length),
      ]
    },
  }),
  opCase({
    ops: ['Select', 'Gather'],
    name: 'integers pass through kernels exactly',
    inputs: { x: values([2n ** 60n + 1n, -(2n ** 60n) - 1n]), c: bools([2]), i: ints([2], { high: 2 }) },
    build: ({ x, c, i }) => [s.select(c, x, x), s.gather(s.gather(x, [1, 0]), i)],
    expect: ({ x, i }) => [
      x,
      BigInt64Array.from(i.numbers(), (k) => (k === 0 ? -(2n ** 60n) - 1n : 2n ** 60n + 1n)),
    ],
  }),
]
