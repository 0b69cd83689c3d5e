// Linear algebra on batches of matrices.
import type { NDArray, Tensor } from '@shoal/core'
import * as s from '@shoal/core'
import { opCase } from '../case.ts'
import { ints, positiveDefinite, random, values, wellConditioned } from '../inputs.ts'

const both = ['float32', 'float64'] as const
const symmetric = (a: Tensor): Tensor => s.mul(s.add(a, s.matrixTranspose(a)), 0.5)

/** The product of matrices [..., m, k] and [..., k, n] of equal batches, as nested arrays would be flattened. */
function product(a: NDArray, b: NDArray): number[] {
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!]
  const [x, y] = [a.numbers(), b.numbers()]
  const batch = x.length / (m * k)
  return Array.from({ length: batch * m * n }, (_, at) => {
    const [p, i, j] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n]
    return Array.from({ length: k }, (_, q) => x[(p * m + i) * k + q]! * y[(p * k + q) * n + j]!).reduce(
      (u, v) => u + v,
      0,
    )
  })
}
const identity = (batch: number, n: number): number[] =>
  Array.from({ length: batch * n * n }, (_, i) => (Math.floor(i / n) % n === i % n ? 1 : 0))
const flat = (t: Tensor): Tensor => s.reshape(t, { shape: [-1] })

const einsumCases = [
  opCase({
    op: 'Einsum',
    name: 'a chain of three matrices, summed over a lone label',
    inputs: { a: random([2, 3]), b: random([3, 4]), c: random([4, 5]) },
    dtypes: both,
    secondOrder: true,
    build: ({ a, b, c }) => s.einsum('ij,jk,kl->i', a, b, c),
    expect: ({ a, b, c }) => {
      const ab = s.ndarray(product(a, b), 'float64', [2, 4])
      const abc = product(ab, c)
      return [0, 1].map((i) => abc.slice(5 * i, 5 * i + 5).reduce((x, y) => x + y, 0))
    },
  }),
  opCase({
    op: 'Einsum',
    name: 'ellipses broadcast, implicit result',
    inputs: { a: random([3, 1, 2, 4]), b: random([5, 4, 2]) },
    secondOrder: true,
    build: ({ a, b }) => [s.einsum('...ij,...jk', a, b), s.einsum('...ij->...ji', b)],
    expect: ({ a, b }) => {
      const [x, y] = [a.numbers(), b.numbers()]
      const at = (p: number, q: number, i: number, k: number): number =>
        [0, 1, 2, 3].map((j) => x[(p * 2 + i) * 4 + j]! * y[(q * 4 + j) * 2 + k]!).reduce((u, v) => u + v, 0)
      return [
        [0, 1, 2].map((p) =>
          [0, 1, 2, 3, 4].map((q) => [0, 1].map((i) => [0, 1].map((k) => at(p, q, i, k)))),
        ),
        [0, 1, 2, 3, 4].map((q) => [0, 1].map((k) => [0, 1, 2, 3].map((j) => y[(q * 4 + j) * 2 + k]!))),
      ]
    },
  }),
  opCase({
    op: 'Einsum',
    name: 'diagonals, traces and outer products',
    inputs: { a: random([3, 3]), v: random([2]) },
    secondOrder: true,
    build: ({ a, v }) => [s.einsum('ii->i', a), s.einsum('ii', a), s.einsum('ii,k->ki', a, v)],
    expect: ({ a, v }) => {
      const diagonal = [0, 4, 8].map((i) => a.numbers()[i]!)
      return [diagonal, diagonal.reduce((x, y) => x + y), v.numbers().map((x) => diagonal.map((d) => x * d))]
    },
  }),
  opCase({
    op: 'Einsum',
    name: 'integers, element-wise',
    inputs: { a: ints([2, 3], { high: 9 }), b: ints([2, 3], { high: 9 }) },
    build: ({ a, b }) => s.einsum('ij,ij->ji', a, b),
    expect: ({ a, b }) =>
      [0, 1, 2].map((j) => [0, 1].map((i) => a.numbers()[i * 3 + j]! * b.numbers()[i * 3 + j]!)),
  }),
]

const productCases = [
  opCase({
    op: 'MatMul',
    name: 'dot, outer, matvec and tensordot are matrix products',
    inputs: { a: random([2, 3]), u: random([3]), v: random([3]), c: random([3, 2, 2]) },
    build: ({ a, u, v, c }) => [
      s.dot(u, v),
      s.outer(u, v),
      s.matvec(a, u),
      s.tensordot(a, c, 1),
      s.tensordot(a, c, [
        [0, 1],
        [1, 0],
      ]),
    ],
    expect: ({ a, u, v, c }) => {
      const [x, p, q, y] = [a.numbers(), u.numbers(), v.numbers(), c.numbers()]
      const sum = (n: number, term: (i: number) => number): number =>
        Array.from({ length: n }, (_, i) => term(i)).reduce((m, k) => m + k, 0)
      return [
        sum(3, (i) => p[i]! * q[i]!),
        p.map((i) => q.map((j) => i * j)),
        [0, 1].map((i) => sum(3, (j) => x[i * 3 + j]! * p[j]!)),
        [0, 1].map((i) =>
          [0, 1].map((k) => [0, 1].map((l) => sum(3, (j) => x[i * 3 + j]! * y[j * 4 + k * 2 + l]!))),
        ),
        [0, 1].map((l) => sum(2, (i) => sum(3, (j) => x[i * 3 + j]! * y[j * 4 + i * 2 + l]!))),
      ]
    },
  }),
  opCase({
    op: 'MatMul',
    name: 'powers of matrices',
    inputs: { a: wellConditioned([2, 2, 2]) },
    symbolic: true,
    build: ({ a }) => [
      flat(s.matrixPower(a, 3)),
      flat(s.matmul(s.matrixPower(a, -2), s.matmul(a, a))),
      flat(s.matrixPower(a, 0)),
    ],
    expect: ({ a }) => {
      const square = s.ndarray(product(a, a), 'float64', a.shape)
      return [product(square, a), identity(2, 2), identity(2, 2)]
    },
  }),
]

const solverCases = [
  opCase({
    op: 'Cholesky',
    name: 'factors a batch',
    inputs: { a: positiveDefinite([2, 3, 3]) },
    dtypes: both,
    secondOrder: true,
    build: ({ a }) => {
      const l = s.cholesky(symmetric(a))
      return { product: flat(s.matmul(l, l, { transposeB: true })), l }
    },
    expect: ({ a }) => ({ product: a.numbers(), l: choleskyBanachiewicz(a) }),
  }),
  opCase({
    ops: ['TriangularSolve'],
    name: 'from the factor of a positive definite matrix',
    inputs: { a: positiveDefinite([2, 3, 3]), b: random([2, 3, 2]) },
    build: ({ a, b }) => flat(s.matmul(a, s.choleskySolve(s.cholesky(symmetric(a)), b))),
    expect: ({ b }) => b.numbers(),
  }),
  ...[true, false].flatMap((lower) =>
    [true, false].map((adjoint) =>
      opCase({
        op: 'TriangularSolve',
        name: `${lower ? 'lower' : 'upper'} triangle${adjoint ? ', adjoint' : ''}`,
        inputs: { a: wellConditioned([2, 3, 3]), b: random([2, 3, 2]) },
        dtypes: both,
        secondOrder: true,
        build: ({ a, b }) => {
          const x = s.triangularSolve(a, b, { lower, adjoint })
          const order = (axis: number): Tensor => s.indexLike(a, { axis })
          const triangle = s.select(
            lower ? s.lessEqual(order(-1), order(-2)) : s.lessEqual(order(-2), order(-1)),
            a,
            0,
          )
          return flat(s.matmul(triangle, x, { transposeA: adjoint }))
        },
        expect: ({ b }) => b.numbers(),
      }),
    ),
  ),
  ...[false, true].map((adjoint) =>
    opCase({
      op: 'Solve',
      name: adjoint ? 'adjoint' : 'a batch of systems',
      inputs: { a: wellConditioned([2, 3, 3]), b: random([2, 3, 2]) },
      dtypes: both,
      secondOrder: true,
      build: ({ a, b }) => {
        const x = s.solve(a, b, { adjoint })
        return [flat(s.matmul(a, x, { transposeA: adjoint })), x]
      },
      grad: true,
      expect: ({ a, b }) => [b.numbers(), cramer(a, b, adjoint)],
    }),
  ),
  opCase({
    op: 'Solve',
    name: 'exchanges rows where the diagonal is 0',
    inputs: {
      a: values([
        [0, 2, 0],
        [1, 0, 0],
        [0, 0, 4],
      ]),
      b: values([[2], [3], [8]]),
    },
    build: ({ a, b }) => s.solve(a, b),
    expect: [[3], [1], [2]],
  }),
  opCase({
    op: 'Inverse',
    name: 'a batch',
    inputs: { a: wellConditioned([2, 3, 3]) },
    dtypes: both,
    secondOrder: true,
    build: ({ a }) => [s.inverse(a), flat(s.matmul(s.inverse(a), a))],
    expect: ({ a }) => [cramer(a, s.ndarray(identity(2, 3), 'float64', [2, 3, 3]), false), identity(2, 3)],
  }),
  opCase({
    ops: ['Determinant', 'LogDeterminant'],
    name: 'a batch, also as sign and logarithm',
    inputs: { a: wellConditioned([2, 3, 3]) },
    dtypes: both,
    secondOrder: true,
    build: ({ a }) => {
      const [sign, log] = s.logDeterminant(s.neg(a))
      return [s.determinant(a), sign, log]
    },
    expect: ({ a }) => {
      const dets = [0, 1].map((p) => determinant(a.numbers().slice(9 * p, 9 * p + 9)))
      return [dets, dets.map((d) => Math.sign(-d)), dets.map((d) => Math.log(Math.abs(d)))]
    },
  }),
  opCase({
    op: 'Lstsq',
    name: 'more equations than unknowns: the normal equations hold',
    inputs: { a: random([2, 5, 2]), b: random([2, 5, 3]) },
    dtypes: both,
    secondOrder: true,
    build: ({ a, b }) => {
      const x = s.lstsq(a, b)
      return [flat(s.matmul(a, s.sub(s.matmul(a, x), b), { transposeA: true })), s.mul(x, x)]
    },
  }),
  opCase({
    op: 'Lstsq',
    name: 'fewer equations than unknowns: the shortest solution',
    inputs: {
      a: values([
        [1, 1, 0],
        [0, 0, 2],
      ]),
      b: values([[2], [4]]),
    },
    secondOrder: true,
    build: ({ a, b }) => [s.lstsq(a, b), s.pinv(a)],
    expect: [
      [[1], [1], [2]],
      [
        [0.5, 0],
        [0.5, 0],
        [0, 0.5],
      ],
    ],
  }),
]

const orthogonalCases = [
  ...(
    [
      [4, 2],
      [3, 3],
      [2, 4],
    ] as const
  ).map(([m, n]) =>
    opCase({
      op: 'Qr',
      name: `${m} by ${n}`,
      inputs: { a: random([2, m, n]) },
      dtypes: both,
      build: ({ a }) => {
        const [q, r] = s.qr(a)
        return [flat(s.matmul(q, r)), flat(s.matmul(q, q, { transposeA: true }))]
      },
      expect: ({ a }) => [a.numbers(), identity(2, Math.min(m, n))],
    }),
  ),
  ...(
    [
      [4, 2],
      [3, 3],
      [2, 4],
    ] as const
  ).map(([m, n]) =>
    opCase({
      op: 'Qr',
      name: `gradient of both factors, ${m} by ${n}`,
      inputs: { a: random([m, n]) },
      secondOrder: true,
      build: ({ a }) => [...s.qr(a)],
    }),
  ),
  opCase({
    op: 'Qr',
    name: 'full, of a tall matrix',
    inputs: { a: random([2, 4, 2]) },
    grad: false,
    build: ({ a }) => {
      const [q, r] = s.qr(a, { full: true })
      return [flat(s.matmul(q, r)), flat(s.matmul(q, q, { transposeA: true }))]
    },
    expect: ({ a }) => [a.numbers(), identity(2, 4)],
  }),
  opCase({
    op: 'Eigh',
    name: 'values and vectors of a batch',
    inputs: { a: positiveDefinite([2, 4, 4]) },
    dtypes: both,
    secondOrder: true,
    build: ({ a }) => {
      const [w, v] = s.eigh(symmetric(a))
      return [
        flat(s.matmul(s.mul(v, s.expandDims(w, { axis: -2 })), v, { transposeB: true })),
        flat(s.matmul(v, v, { transposeA: true })),
      ]
    },
    expect: ({ a }) => [a.numbers(), identity(2, 4)],
  }),
  opCase({
    op: 'Eigh',
    name: 'ascending, vectors with a positive largest component',
    inputs: {
      a: values([
        [2, 1, 0],
        [1, 2, 0],
        [0, 0, -1],
      ]),
    },
    build: ({ a }) => [...s.eigh(symmetric(a))],
    // The gradient through vectors with two equal components would cross a change of sign.
    grad: false,
    expect: [
      [-1, 1, 3],
      [
        [0, Math.SQRT1_2, Math.SQRT1_2],
        [0, -Math.SQRT1_2, Math.SQRT1_2],
        [1, 0, 0],
      ],
    ],
  }),
  opCase({
    op: 'Eigh',
    name: 'gradient by values and vectors',
    inputs: { a: positiveDefinite([3, 3]) },
    secondOrder: true,
    build: ({ a }) => {
      const [w, v] = s.eigh(symmetric(a))
      return [w, s.mul(v, v), s.eigvalsh(symmetric(s.neg(a)))]
    },
  }),
  ...(
    [
      [4, 2],
      [3, 3],
      [2, 4],
    ] as const
  ).map(([m, n]) =>
    opCase({
      op: 'Svd',
      name: `${m} by ${n}`,
      inputs: { a: random([2, m, n]) },
      dtypes: both,
      build: ({ a }) => {
        const [sigma, u, v] = s.svd(a)
        return [
          flat(s.matmul(s.mul(u, s.expandDims(sigma, { axis: -2 })), v, { transposeB: true })),
          flat(s.matmul(u, u, { transposeA: true })),
          flat(s.matmul(v, v, { transposeA: true })),
        ]
      },
      expect: ({ a }) => [a.numbers(), identity(2, Math.min(m, n)), identity(2, Math.min(m, n))],
    }),
  ),
  opCase({
    op: 'Svd',
    name: 'descending; gradient of all three',
    inputs: {
      a: values([
        [3, 0],
        [0, -5],
        [0, 0],
      ]),
    },
    build: ({ a }) => {
      const [sigma, u, v] = s.svd(a)
      return [sigma, s.mul(u, u), s.mul(v, v)]
    },
    expect: [
      [5, 3],
      [
        [0, 1],
        [1, 0],
        [0, 0],
      ],
      [
        [0, 1],
        [1, 0],
      ],
    ],
  }),
]

/** All cases of linear algebra. */
export const linalgCases = [...einsumCases, ...productCases, ...solverCases, ...orthogonalCases]

/** Cholesky by rows, as the textbook has it. */
function choleskyBanachiewicz(a: NDArray): Float64Array {
  const n = a.shape.at(-1)!
  const x = a.numbers()
  const l = new Float64Array(x.length)
  for (let base = 0; base < x.length; base += n * n)
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        let rest = x[base + i * n + j]!
        for (let k = 0; k < j; k++) rest -= l[base + i * n + k]! * l[base + j * n + k]!
        l[base + i * n + j] = i === j ? Math.sqrt(rest) : rest / l[base + j * n + j]!
      }
  return l
}

/** The determinant of a 3 × 3 matrix by the rule of Sarrus. */
const determinant = ([a, b, c, d, e, f, g, h, i]: readonly number[]): number =>
  a! * (e! * i! - f! * h!) - b! * (d! * i! - f! * g!) + c! * (d! * h! - e! * g!)

/** X with A·X = B for 3 × 3 matrices by Cramer's rule. */
function cramer(a: NDArray, b: NDArray, adjoint: boolean): Float64Array {
  const [x, y, n] = [a.numbers(), b.numbers(), b.shape.at(-1)!]
  return Float64Array.from({ length: y.length }, (_, at) => {
    const [p, row, column] = [Math.floor(at / (3 * n)), Math.floor(at / n) % 3, at % n]
    const matrix = Array.from(
      { length: 9 },
      (_, k) => x[9 * p + (adjoint ? (k % 3) * 3 + Math.floor(k / 3) : k)]!,
    )
    const replaced = matrix.map((value, k) =>
      k % 3 === row ? y[(p * 3 + Math.floor(k / 3)) * n + column]! : value,
    )
    return determinant(replaced) / determinant(matrix)
  })
}
