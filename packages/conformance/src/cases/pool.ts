// Pooling, and resizing of images.
import type { NDArray } from '@shoal/core'
import * as s from '@shoal/core'
import type { OpCase } from '../case.ts'
import { opCase } from '../case.ts'
import { distinct, ints, random } from '../inputs.ts'

const floats = ['float32', 'float64', 'float16'] as const

/** Windows of 3 × 3 with stride 2, padded as SAME does for odd sizes, joined by a function of what lies within x. */
function windows(
  x: NDArray,
  out: readonly [number, number],
  join: (members: number[]) => number,
): Float64Array {
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const y: number[] = []
  for (let n = 0; n < batch; n++)
    for (let i = 0; i < out[0]; i++)
      for (let j = 0; j < out[1]; j++)
        for (let c = 0; c < channels; c++) {
          const members: number[] = []
          for (let a = 2 * i - 1; a <= 2 * i + 1; a++)
            for (let b = 2 * j - 1; b <= 2 * j + 1; b++)
              if (a >= 0 && b >= 0 && a < height && b < width) members.push(Number(x.at(n, a, b, c)))
          y.push(join(members))
        }
  return Float64Array.from(y)
}
const greatest = (members: number[]): number => Math.max(...members)
const average = (members: number[]): number => members.reduce((a, b) => a + b) / members.length
const same = { strides: 2, padding: 'SAME' } as const

/** Bilinear interpolation at a place given by its coordinates in the source, clamped to it. */
function mixed(
  x: NDArray,
  size: readonly [number, number],
  place: (i: number, axis: 0 | 1) => number,
): Float64Array {
  const [, height, width, channels] = x.shape as [number, number, number, number]
  const y: number[] = []
  for (let i = 0; i < size[0]; i++)
    for (let j = 0; j < size[1]; j++)
      for (let c = 0; c < channels; c++) {
        const [v, u] = [Math.max(0, place(i, 0)), Math.max(0, place(j, 1))]
        const [top, left] = [Math.min(Math.floor(v), height - 1), Math.min(Math.floor(u), width - 1)]
        const at = (a: number, b: number): number =>
          Number(x.at(0, Math.min(a, height - 1), Math.min(b, width - 1), c))
        const across = (row: number): number =>
          at(row, left) * (1 - u + left) + at(row, left + 1) * (u - left)
        y.push(across(top) * (1 - v + top) + across(top + 1) * (v - top))
      }
  return Float64Array.from(y)
}

/** Cases of pooling and resizing. */
export const poolCases: readonly OpCase[] = [
  opCase({
    ops: ['MaxPool', 'MaxPoolGrad'],
    name: '2d, same, overlapping',
    inputs: { x: distinct([2, 5, 7, 2]) },
    dtypes: floats,
    build: ({ x }) => s.maxPool(x, 3, same),
    expect: ({ x }) => windows(x, [3, 4], greatest),
  }),
  opCase({
    ops: ['AvgPool', 'AvgPoolGrad'],
    name: '2d, same, padding does not count',
    inputs: { x: random([2, 5, 7, 2]) },
    dtypes: floats,
    secondOrder: true,
    build: ({ x }) => s.avgPool(x, 3, same),
    expect: ({ x }) => windows(x, [3, 4], average),
  }),
  opCase({
    ops: ['MaxPool', 'AvgPool'],
    name: '1d and 3d, side by side',
    inputs: { line: distinct([2, 6, 3]), box: distinct([1, 4, 2, 2, 2]) },
    build: ({ line, box }) => [
      s.maxPool(line, 2),
      s.avgPool(line, 2),
      s.maxPool(box, 2),
      s.avgPool(box, [2, 1, 2]),
    ],
  }),
  opCase({
    op: 'MaxPool',
    name: 'negative numbers beside padding, and ties go to the first',
    inputs: {},
    build: (_, dtype) => {
      const x = s.constant([[[-1], [-1], [-3]]], dtype)
      const y = s.maxPool(x, 2, { strides: 1, padding: 'SAME' })
      return [y, s.gradients(y, [x])[0]!]
    },
    expect: [[[[-1], [-1], [-3]]], [[[1], [1], [1]]]],
  }),
  opCase({
    ops: ['MaxPoolGrad', 'MaxPoolGradGrad'],
    name: 'the gradient by what flows back picks the winners',
    inputs: { x: distinct([1, 4, 4, 2]), dy: random([1, 2, 2, 2]) },
    grad: ['dy'],
    build: ({ x, dy }) => s.gradients(s.maxPool(x, 2), [x], { seeds: [dy] })[0]!,
  }),
  opCase({
    ops: ['Max', 'Mean'],
    name: 'global pooling',
    inputs: { x: distinct([2, 3, 2, 2]) },
    build: ({ x }) => [s.globalMaxPool(x), s.globalAveragePool(x, { keepDims: true })],
    expect: ({ x }) => {
      const lines = [0, 1, 2, 3].map((k) =>
        x.numbers().filter((_, i) => Math.floor(i / 12) * 2 + (i % 2) === k),
      )
      return [Float64Array.from(lines, greatest), Float64Array.from(lines, average)]
    },
  }),
  opCase({
    ops: ['ResizeBilinear', 'ResizeBack', 'ResizeNeighbour', 'ResizeShare'],
    name: 'larger and smaller, three grids',
    inputs: { x: random([1, 4, 5, 2]) },
    dtypes: floats,
    secondOrder: true,
    symbolic: false,
    build: ({ x }) => ({
      plain: s.resizeBilinear(x, { size: [6, 3] }),
      corners: s.resizeBilinear(x, { size: [7, 9], alignCorners: true }),
      halves: s.resizeBilinear(x, { size: [7, 3], halfPixelCenters: true }),
    }),
    expect: ({ x }) => {
      const source = [4, 5] as const
      return {
        plain: mixed(x, [6, 3], (i, axis) => (i * source[axis]) / [6, 3][axis]!),
        corners: mixed(x, [7, 9], (i, axis) => (i * (source[axis] - 1)) / ([7, 9][axis]! - 1)),
        halves: mixed(x, [7, 3], (i, axis) => ((i + 0.5) * source[axis]) / [7, 3][axis]! - 0.5),
      }
    },
  }),
  opCase({
    ops: ['ResizeNearest', 'ResizeBack'],
    name: 'three grids',
    inputs: { x: random([1, 2, 4, 1]) },
    secondOrder: true,
    symbolic: false,
    build: ({ x }) => [
      s.resizeNearest(x, { size: [4, 2] }),
      s.resizeNearest(x, { size: [3, 7], alignCorners: true }),
      s.resizeNearest(x, { size: [2, 3], halfPixelCenters: true }),
    ],
    expect: ({ x }) => {
      const pick = (rows: number[], columns: number[]) =>
        Float64Array.from(rows.flatMap((i) => columns.map((j) => Number(x.at(0, i, j, 0)))))
      return [pick([0, 0, 1, 1], [0, 2]), pick([0, 1, 1], [0, 1, 1, 2, 2, 3, 3]), pick([0, 1], [0, 2, 3])]
    },
  }),
  opCase({
    op: 'ResizeNearest',
    name: 'whole numbers',
    inputs: { x: ints([1, 2, 2, 1], { high: 100 }) },
    build: ({ x }) => s.resizeNearest(x, { size: [2, 4] }),
    expect: ({ x }) => [
      [
        [0, 0, 1, 1].map((j) => [Number(x.at(0, 0, j, 0))]),
        [0, 0, 1, 1].map((j) => [Number(x.at(0, 1, j, 0))]),
      ],
    ],
  }),
]
