// Sparse tensors.
import type { Tensor } from '@shoal/core'
import * as s from '@shoal/core'
import { opCase } from '../case.ts'
import { random, values } from '../inputs.ts'

const places = values([
  [0n, 1n],
  [2n, 0n],
  [2n, 1n],
  [2n, 0n],
])
const sparse = (indices: Tensor, elements: Tensor): s.SparseTensor =>
  new s.SparseTensor(indices, elements, [3, 2])
const parts = (x: s.SparseTensor) => ({ indices: x.indices, values: x.values, denseShape: x.denseShape })

/** All cases of sparse tensors. */
export const sparseCases = [
  opCase({
    ops: ['SparseFromDense', 'SparseToDense'],
    name: 'there and back',
    inputs: {
      x: values([
        [0, 1.5, 0],
        [-2, 0, 0],
      ]),
    },
    build: ({ x }) => {
      const found = s.sparseFromDense(x)
      const unknown = new s.SparseTensor(found.indices, s.mul(found.values, found.values), found.denseShape)
      return { ...parts(found), dense: s.sparseToDense(unknown) }
    },
    // A small change of a zero would make it an element.
    grad: false,
    expect: {
      indices: [
        [0n, 1n],
        [1n, 0n],
      ],
      values: [1.5, -2],
      denseShape: [2n, 3n],
      dense: [
        [0, 2.25, 0],
        [4, 0, 0],
      ],
    },
  }),
  opCase({
    op: 'SparseFromDense',
    name: 'gradient of elements that are not zero',
    inputs: {
      x: values([
        [1, 1.5],
        [-2, 3],
      ]),
    },
    secondOrder: true,
    build: ({ x }) => {
      const { values: found } = s.sparseFromDense(x)
      return s.mul(found, found)
    },
    expect: [1, 2.25, 4, 9],
  }),
  opCase({
    op: 'TensorScatter',
    name: 'a sparse tensor of known sizes to dense, adding up doubles',
    inputs: { i: places, v: values([1, 2, 3, 4]) },
    symbolic: false,
    build: ({ i, v }) => s.sparseToDense(sparse(i, v)),
    expect: [
      [0, 1],
      [0, 0],
      [6, 3],
    ],
  }),
  opCase({
    ops: ['TensorScatter', 'GatherNd'],
    name: 'a sparse matrix times a dense one, also adjoint',
    inputs: { i: places, v: random([4]), b: random([2, 3]), c: random([4, 3]) },
    symbolic: false,
    secondOrder: true,
    build: ({ i, v, b, c }) => [
      s.sparseDenseMatmul(sparse(i, v), b),
      s.sparseDenseMatmul(sparse(i, v), c, { adjointA: true, adjointB: true }),
    ],
    expect: ({ v, b, c }) => {
      const [x, y, z] = [v.numbers(), b.numbers(), c.numbers()]
      const dense = [
        [0, x[0]!],
        [0, 0],
        [x[1]! + x[3]!, x[2]!],
      ]
      return [
        dense.map(([p, q]) => [0, 1, 2].map((k) => p! * y[k]! + q! * y[3 + k]!)),
        [0, 1].map((row) =>
          [0, 1, 2, 3].map((k) => [0, 1, 2].reduce((sum, m) => sum + dense[m]![row]! * z[k * 3 + m]!, 0)),
        ),
      ]
    },
  }),
  opCase({
    op: 'SparseSort',
    name: 'reorders and adds up',
    inputs: {
      i: values([
        [2n, 0n],
        [0n, 1n],
        [2n, 0n],
      ]),
      v: values([1, 2, 4]),
    },
    symbolic: false,
    secondOrder: true,
    build: ({ i, v }) => {
      const x = sparse(i, s.mul(v, v))
      return {
        ...parts(s.sparseReorder(x)),
        places: s.sparseCoalesce(x).indices,
        sums: s.sparseCoalesce(x).values,
      }
    },
    expect: {
      indices: [
        [0n, 1n],
        [2n, 0n],
        [2n, 0n],
      ],
      values: [4, 1, 16],
      denseShape: [3n, 2n],
      places: [
        [0n, 1n],
        [2n, 0n],
      ],
      sums: [4, 17],
    },
  }),
  opCase({
    op: 'SparseSort',
    name: 'adds sparse tensors',
    inputs: {
      i: places,
      v: values([1, 2, 3, 4]),
      j: values([
        [0n, 0n],
        [2n, 1n],
      ]),
      w: values([10, 20]),
    },
    symbolic: false,
    build: ({ i, v, j, w }) => parts(s.sparseAdd(sparse(i, v), sparse(j, w))),
    expect: {
      indices: [
        [0n, 0n],
        [0n, 1n],
        [2n, 0n],
        [2n, 1n],
      ],
      values: [10, 1, 6, 23],
      denseShape: [3n, 2n],
    },
  }),
  opCase({
    op: 'SparseSlice',
    name: 'a box',
    inputs: { i: places, v: values([1, 2, 3, 4]) },
    symbolic: false,
    secondOrder: true,
    build: ({ i, v }) => parts(s.sparseSlice(sparse(i, s.mul(v, v)), { begin: [1, 0], size: [2, 1] })),
    expect: {
      indices: [
        [1n, 0n],
        [1n, 0n],
      ],
      values: [4, 16],
      denseShape: [2n, 1n],
    },
  }),
]
