// Ops that move elements by rules: shapes, slices, padding, repetition, diagonals.
import type { NDArray } from '@shoal/core'
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { ints, random, values } from '../inputs.ts'

/** Elements of an array by their flat positions. */
const pick = (x: NDArray, positions: readonly number[]): Float64Array =>
  Float64Array.from(positions, (i) => (i < 0 ? 0 : x.numbers()[i]!))
const all = ['float32', 'float16', 'int32', 'int64', 'uint8', 'bool'] as const

export const arrayMoveCases: readonly OpCase[] = [
  opCase({
    op: 'Transpose',
    name: 'reversed, and an order',
    inputs: { x: random([2, 3, 2], { low: 0, high: 90 }) },
    dtypes: all,
    secondOrder: true,
    build: ({ x }) => [s.transpose(x), s.transpose(x, { order: [1, 0, -1] })],
    expect: ({ x }) => [
      pick(x, [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]),
      pick(x, [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]),
    ],
  }),
  opCase({
    ops: ['Reshape', 'ExpandDims', 'Squeeze', 'ReshapeLike'],
    name: 'axes come and go',
    inputs: { x: random([1, 3, 2]) },
    build: ({ x }) => [
      s.reshape(x, { shape: [-1] }),
      s.expandDims(x, { axis: -1 }),
      s.squeeze(x),
      s.squeeze(s.expandDims(x, { axis: 1 }), { axes: [1] }),
    ],
    expect: ({ x }) => {
      const v = x.numbers()
      return [
        v,
        [
          [
            [[v[0]!], [v[1]!]],
            [[v[2]!], [v[3]!]],
            [[v[4]!], [v[5]!]],
          ],
        ],
        [v.slice(0, 2), v.slice(2, 4), v.slice(4)],
        x,
      ]
    },
  }),
  opCase({
    ops: ['Slice', 'PadLike'],
    name: 'a box, and the rest of an axis',
    inputs: { x: random([3, 4]) },
    secondOrder: true,
    build: ({ x }) => [
      s.slice(x, { begin: [1, 0], size: [2, 3] }),
      s.slice(x, { begin: [0, 2], size: [-1, -1] }),
    ],
    expect: ({ x }) => [pick(x, [4, 5, 6, 8, 9, 10]), pick(x, [2, 3, 6, 7, 10, 11])],
  }),
  opCase({
    ops: ['PadLike', 'CutLike'],
    name: 'put in and cut out',
    inputs: { x: random([2, 2]), y: random([3, 4]) },
    secondOrder: true,
    build: ({ x, y }) => [s.padLike(x, y, { begin: [1, 2] }), s.cutLike(y, x, { begin: [0, 1] })],
    expect: ({ x, y }) => [pick(x, [-1, -1, -1, -1, -1, -1, 0, 1, -1, -1, 2, 3]), pick(y, [1, 2, 5, 6])],
  }),
  opCase({
    ops: ['StridedSlice', 'StridedPutLike', 'StridedPut'],
    name: 'forwards, backwards and clamped',
    inputs: { x: random([5, 4]) },
    secondOrder: true,
    build: ({ x }) => [
      s.stridedSlice(x, { begin: [1, 3], end: [5, 0], strides: [2, -2] }),
      s.subscript(x, '::-2, 1'),
      s.subscript(x, '-1, newaxis, ..., -3:99'),
      s.subscript(x, '3:1'),
    ],
    expect: ({ x }) => [
      pick(x, [7, 5, 15, 13]),
      pick(x, [17, 9, 1]),
      [pick(x, [17, 18, 19])].map((row) => [...row]),
      new Float64Array(),
    ],
  }),
  opCase({
    op: 'StridedPut',
    name: 'into a shape',
    inputs: { x: random([2]) },
    build: ({ x }) => s.stridedPut(x, { begin: [3], end: [0], strides: [-2], shape: [5] }),
    expect: ({ x }) => pick(x, [-1, 1, -1, 0, -1]),
  }),
  opCase({
    ops: ['Pad', 'CutLike'],
    name: 'a value',
    inputs: { x: random([2, 2]) },
    dtypes: ['float32', 'int32', 'float16'],
    secondOrder: true,
    build: ({ x }) => s.pad(x, { before: [1, 0], after: [0, 2], value: 7 }),
    expect: ({ x }) => {
      const [a, b, c, d] = x.numbers() as [number, number, number, number]
      return [
        [7, 7, 7, 7],
        [a, b, 7, 7],
        [c, d, 7, 7],
      ]
    },
  }),
  ...(['reflect', 'symmetric'] as const).map((mode) =>
    opCase({
      ops: ['Pad', 'MirrorPadBack'],
      name: mode,
      inputs: { x: random([2, 3]) },
      secondOrder: true,
      build: ({ x }) => s.pad(x, { before: [1, 2], after: [1, 1], mode }),
      expect: ({ x }) => {
        const columns = mode === 'reflect' ? [2, 1, 0, 1, 2, 1] : [1, 0, 0, 1, 2, 2]
        const lines = mode === 'reflect' ? [1, 0, 1, 0] : [0, 0, 1, 1]
        return lines.map((i) => columns.map((j) => x.at(i, j) as number))
      },
    }),
  ),
  opCase({
    ops: ['Concat', 'SliceLike', 'PartLike'],
    name: 'along the last axis',
    inputs: { a: random([2, 1]), b: random([2, 3]) },
    secondOrder: true,
    build: ({ a, b }) => [
      s.concat([a, b], { axis: -1 }),
      s.concat([b]),
      s.sliceLike([s.concat([a, b], { axis: 1 }), a, b], { axis: 1, part: 1 }),
    ],
    expect: ({ a, b }) => {
      const [x, y] = [a.numbers(), b.numbers()]
      return [
        [
          [x[0]!, ...y.slice(0, 3)],
          [x[1]!, ...y.slice(3)],
        ],
        b,
        b,
      ]
    },
  }),
  opCase({
    ops: ['Concat', 'Slice'],
    name: 'stack, unstack and split',
    inputs: { a: random([2, 3]), b: random([2, 3]) },
    symbolic: false,
    build: ({ a, b }) => [
      s.stack([a, b], { axis: 1 }),
      ...s.unstack(a, { axis: 1 }),
      ...s.split(b, 3, { axis: 1 }),
      ...s.split(b, [1, -1]),
    ],
    expect: ({ a, b }) => [
      [0, 1].map((i) => [a, b].map((x) => [0, 1, 2].map((j) => x.at(i, j) as number))),
      ...[0, 1, 2].map((j) => [0, 1].map((i) => a.at(i, j) as number)),
      ...[0, 1, 2].map((j) => [0, 1].map((i) => [b.at(i, j) as number])),
      [b.numbers().slice(0, 3)],
      [b.numbers().slice(3)],
    ],
  }),
  opCase({
    ops: ['Tile', 'TileBack'],
    name: 'tiles, and repeated elements',
    inputs: { x: random([2, 2]) },
    secondOrder: true,
    build: ({ x }) => [s.tile(x, { times: [2, 2] }), s.repeat(x, 2, { axis: 0 })],
    expect: ({ x }) => {
      const [p, q] = [x.numbers().slice(0, 2), x.numbers().slice(2)]
      return [
        [
          [...p, ...p],
          [...q, ...q],
          [...p, ...p],
          [...q, ...q],
        ],
        [p, p, q, q],
      ]
    },
  }),
  opCase({
    op: 'Roll',
    name: 'both ways',
    inputs: { x: random([2, 3]) },
    secondOrder: true,
    build: ({ x }) => s.roll(x, { shifts: [1, -4], axes: [0, 1] }),
    expect: ({ x }) => pick(x, [4, 5, 3, 1, 2, 0]),
  }),
  opCase({
    op: 'Reverse',
    name: 'an axis, and all',
    inputs: { x: random([2, 3], { low: 0, high: 90 }) },
    dtypes: all,
    secondOrder: true,
    build: ({ x }) => [s.reverse(x, { axes: [-1] }), s.reverse(x)],
    expect: ({ x }) => [pick(x, [2, 1, 0, 5, 4, 3]), pick(x, [5, 4, 3, 2, 1, 0])],
  }),
  opCase({
    ops: ['TakeAlongAxis', 'IndexLike', 'PutAlongAxis'],
    name: 'sequences of different lengths, reversed',
    inputs: { x: random([3, 4]), lengths: values([2, 4, 0], 'int32') },
    secondOrder: true,
    build: ({ x, lengths }) => s.reverseSequence(x, lengths),
    expect: ({ x }) => pick(x, [1, 0, 2, 3, 7, 6, 5, 4, 8, 9, 10, 11]),
  }),
  opCase({
    ops: ['BroadcastTo', 'BroadcastLike', 'SumLike'],
    name: 'repeated, and back',
    inputs: { x: random([3, 1]), y: random([2, 3, 4]) },
    secondOrder: true,
    build: ({ x, y }) => [s.broadcastTo(x, { shape: [2, 3, 2] }), s.broadcastLike(x, y), s.sumLike(y, x)],
    expect: ({ x, y }) => {
      const v = x.numbers()
      const w = y.numbers()
      const repeated = (n: number) =>
        Float64Array.from({ length: 6 * n }, (_, i) => v[Math.floor(i / n) % 3]!)
      return [
        repeated(2),
        repeated(4),
        [0, 1, 2].map((j) => [w.filter((_, i) => Math.floor(i / 4) % 3 === j).reduce((p, q) => p + q)]),
      ]
    },
  }),
  opCase({
    ops: ['Fill', 'FillLike', 'Iota', 'IndexLike', 'Linspace', 'Eye'],
    name: 'tensors of nothing',
    inputs: { x: ints([2, 2], { high: 9 }) },
    build: ({ x }, dtype) => [
      s.fill({ shape: [2], value: 3, dtype: 'uint8' }),
      s.onesLike(x),
      s.iota({ shape: [2, 3], axis: 0, dtype }),
      s.indexLike(x, { axis: 1 }),
      s.linspace({ start: 1, stop: 2, count: 5 }),
      s.eye({ rows: 2, columns: 3, batch: [1], dtype }),
      s.range(2, 9, { step: 3 }),
      s.cast(s.range(5, 0, { step: -2 }), { to: dtype }),
    ],
    expect: [
      [3, 3],
      [
        [1, 1],
        [1, 1],
      ],
      [
        [0, 0, 0],
        [1, 1, 1],
      ],
      [
        [0, 1],
        [0, 1],
      ],
      [1, 1.25, 1.5, 1.75, 2],
      [
        [
          [1, 0, 0],
          [0, 1, 0],
        ],
      ],
      [2, 5, 8],
      [5, 3, 1],
    ],
  }),
  opCase({
    ops: ['BroadcastTo', 'Reshape'],
    name: 'meshgrid',
    inputs: { a: values([1, 2, 3]), b: values([4, 5]) },
    build: ({ a, b }) => [...s.meshgrid([a, b]), ...s.meshgrid([a, b], { indexing: 'ij' })],
    expect: [
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
      [
        [4, 4, 4],
        [5, 5, 5],
      ],
      [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
      [
        [4, 5],
        [4, 5],
        [4, 5],
      ],
    ],
  }),
  opCase({
    ops: ['Diag', 'DiagPart', 'SetDiag', 'SpreadDiagonal'],
    name: 'main and other diagonals',
    inputs: { x: random([2]), m: random([2, 3]) },
    symbolic: false,
    secondOrder: true,
    build: ({ x, m }) => [
      s.diag(x),
      s.diag(x, { offset: -1 }),
      s.diagPart(m),
      s.diagPart(m, { offset: 1 }),
      s.setDiag(m, x, { offset: 1 }),
      s.trace(m),
    ],
    expect: ({ x, m }) => {
      const [p, q] = x.numbers() as [number, number]
      const [a, b, c, d, e, f] = m.numbers() as [number, number, number, number, number, number]
      return [
        [
          [p, 0],
          [0, q],
        ],
        [
          [0, 0, 0],
          [p, 0, 0],
          [0, q, 0],
        ],
        [a, e],
        [b, f],
        [
          [a, p, c],
          [d, e, q],
        ],
        a + e,
      ]
    },
  }),
  opCase({
    ops: ['DiagPart', 'Diag'],
    name: 'batches of squares',
    inputs: { x: random([2, 3, 3]) },
    build: ({ x }) => s.diag(s.diagPart(x)),
    expect: ({ x }) => Float64Array.from(x.numbers(), (v, i) => ((i % 9) % 4 === 0 ? v : 0)),
  }),
  opCase({
    op: 'BandPart',
    name: 'bands and triangles',
    inputs: { x: random([3, 4]) },
    secondOrder: true,
    build: ({ x }) => [
      s.bandPart(x, { lower: 1, upper: 0 }),
      s.bandPart(x, { lower: -1, upper: 1 }),
      s.triu(x, { offset: 1 }),
      s.tril(x),
    ],
    expect: ({ x }) => {
      const kept = (test: (diagonal: number) => boolean) =>
        Float64Array.from(x.numbers(), (v, i) => (test((i % 4) - Math.floor(i / 4)) ? v : 0))
      return [kept((d) => d >= -1 && d <= 0), kept((d) => d <= 1), kept((d) => d >= 1), kept((d) => d <= 0)]
    },
  }),
  opCase({
    ops: ['Reshape', 'Transpose', 'Pad', 'Slice'],
    name: 'space into depth and batches, and back',
    inputs: { x: random([1, 2, 4, 2]) },
    symbolic: false,
    build: ({ x }) => {
      const depth = s.spaceToDepth(x, 2)
      const batch = s.spaceToBatch(x, {
        block: [2, 2],
        paddings: [
          [0, 0],
          [1, 1],
        ],
      })
      return [
        depth,
        s.depthToSpace(depth, 2),
        batch,
        s.batchToSpace(batch, {
          block: [2, 2],
          crops: [
            [0, 0],
            [1, 1],
          ],
        }),
      ]
    },
    expect: ({ x }) => [
      pick(x, [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15]),
      x,
      pick(x, [-1, -1, 2, 3, 6, 7, 0, 1, 4, 5, -1, -1, -1, -1, 10, 11, 14, 15, 8, 9, 12, 13, -1, -1]),
      x,
    ],
  }),
  opCase({
    ops: ['ShapeOf', 'Size'],
    name: 'sizes',
    inputs: { x: random([2, 3]) },
    grad: false,
    build: ({ x }) => [s.shapeOf(x), s.size(x), s.size(x, { axes: [1], dtype: 'float32' }), s.rank(x)],
    expect: [[2, 3], 6, 3, 2],
  }),
]
