// How the operations of the PyTorch cases that move elements, and those of linear algebra, are said in Shoal.
import type { Tensor } from '@shoal/core'
import * as s from '@shoal/core'
import type { TorchBuilders } from './builder.ts'

/** (a + aᵀ) / 2: PyTorch differentiates functions of symmetric matrices within those. */
const symmetric = (a: Tensor): Tensor => s.mul(s.add(a, s.matrixTranspose(a)), 0.5)

const bagsOf = (offsets: readonly number[], count: number): number[] =>
  Array.from({ length: count }, (_, i) => offsets.findLastIndex((start) => start <= i))

export const arrayBuilders: TorchBuilders = {
  transpose: ({ x }, { perm }) => s.transpose(x!, { order: perm as number[] }),
  stack: ({ a, b }, { axis }) => s.stack([a!, b!], { axis: axis as number }),
  split({ x }, { sizes, axis }) {
    const [a, b, c] = s.split(x!, sizes as number[], { axis: axis as number })
    return { a: a!, b: b!, c: c! }
  },
  reverse: ({ x }, { axis }) => s.reverse(x!, { axes: axis as number[] }),
  pad({ x }, { paddings, value }) {
    const around = paddings as readonly (readonly [number, number])[]
    return s.pad(x!, {
      before: around.map(([before]) => before),
      after: around.map(([, after]) => after),
      value: value as number,
    })
  },
  // x[1:6:2, 6:0:-3]
  strided_slice: ({ x }) => s.stridedSlice(x!, { begin: [1, 6], end: [6, 0], strides: [2, -3] }),
  slice: ({ x }, { begin, size }) => s.slice(x!, { begin: begin as number[], size: size as number[] }),
  gather: ({ x, i }, { axis }) => s.gather(x!, i!, { axis: axis as number }),
  gather_nd: ({ x, i }) => s.gatherNd(x!, i!),
  scatter_nd: ({ i, u }, { shape }) => s.scatterNd(i!, u!, { shape: shape as number[] }),
  tensor_scatter_nd_update: ({ x, i, u }) => s.tensorScatter(x!, i!, u!, { update: 'set' }),
  one_hot: ({ i }, { depth }) => s.oneHot(i!, { depth: depth as number }),
  top_k({ x }, { k }) {
    const [values, indices] = s.topK(x!, { k: k as number })
    return { values, indices: s.cast(indices, { to: 'int64' }) }
  },
  matrix_diag_part: ({ x }) => s.diagPart(x!),
  matrix_band_part: ({ x }, { lower, upper }) =>
    s.bandPart(x!, { lower: lower as number, upper: upper as number }),
  embedding_lookup_sparse({ table, ids }, { combiner }) {
    const bags = s.constant(bagsOf([0, 3], 5), 'int32')
    const rows = s.gather(table!, ids!, { axis: 0 })
    return combiner === 'mean'
      ? s.unsortedSegmentMean(rows, bags, { count: 2 })
      : s.unsortedSegmentSum(rows, bags, { count: 2 })
  },
  matmul: ({ a, b }, { transpose_a, transpose_b }) =>
    s.matmul(a!, b!, { transposeA: transpose_a === true, transposeB: transpose_b === true }),
  batch_matmul_v2: ({ a, b }) => s.matmul(a!, b!),
  einsum: ({ a, b, c }, { equation }) => s.einsum(equation as string, a!, b!, c!),
  matrix_inverse: ({ a }) => s.inverse(a!),
  matrix_determinant: ({ a }) => s.determinant(a!),
  cholesky: ({ a }) => s.cholesky(symmetric(a!)),
  matrix_solve: ({ a, b }) => s.solve(a!, b!),
  matrix_triangular_solve: ({ a, b }, { lower, adjoint }) =>
    s.triangularSolve(a!, b!, { lower: lower === true, adjoint: adjoint === true }),
  self_adjoint_eigvals: ({ a }) => s.eigvalsh(symmetric(a!)),
  matrix_solve_ls: ({ a, b }) => s.lstsq(a!, b!),
  trace: ({ a }) => s.trace(a!),
}
