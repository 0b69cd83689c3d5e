// Gaussian elimination with partial pivoting: linear systems and determinants.
import { RunError } from '../../errors.ts'
import type { ReferenceKernels } from '../kernel.ts'
import type { Matrix } from './linalg.ts'
import { batched, subtractRow } from './linalg.ts'

interface Factors {
  /** U on and above the diagonal, the multipliers of L (whose diagonal is 1) below it; rows already exchanged. */
  readonly lu: Matrix
  /** Row i of `lu` was row `order[i]`. */
  readonly order: readonly number[]
  /** The sign of the permutation. */
  readonly sign: 1 | -1
}

/** P·A = L·U, the row with the largest element of each column as pivot. A singular matrix leaves a 0 on the diagonal of U. */
function factorize(a: Matrix, n: number): Factors {
  const lu = a.slice()
  const order = Array.from({ length: n }, (_, i) => i)
  let sign: 1 | -1 = 1
  for (let k = 0; k < n; k++) {
    let best = k
    for (let i = k + 1; i < n; i++) if (Math.abs(lu[i * n + k]!) > Math.abs(lu[best * n + k]!)) best = i
    if (best !== k) {
      for (let j = 0; j < n; j++) [lu[k * n + j], lu[best * n + j]] = [lu[best * n + j]!, lu[k * n + j]!]
      ;[order[k], order[best]] = [order[best]!, order[k]!]
      sign = sign === 1 ? -1 : 1
    }
    const pivot = lu[k * n + k]!
    if (pivot === 0) continue
    for (let i = k + 1; i < n; i++) {
      const factor = lu[i * n + k]! / pivot
      lu[i * n + k] = factor
      subtractRow(lu, i * n + k + 1, factor, lu, k * n + k + 1, n - k - 1)
    }
  }
  return { lu, order, sign }
}

const transposed = (a: Matrix, n: number): Matrix => a.map((_, k) => a[(k % n) * n + Math.floor(k / n)]!)

/** Solve, and LogDeterminant as sign and logarithm so that large matrices do not overflow. */
export const luKernels: ReferenceKernels = {
  Solve: batched({ inputs: [2, 2], outputs: [2] }, ([a, b], [x], { inputs, attrs }) => {
    const n = inputs[0]!.shape.at(-1)!
    const columns = inputs[1]!.shape.at(-1)!
    const { lu, order } = factorize(attrs['adjoint'] === true ? transposed(a!, n) : a!, n)
    for (let i = 0; i < n; i++)
      if (lu[i * n + i] === 0) throw new RunError('the matrix is singular: it has no inverse')
    const row = (i: number): number => i * columns
    for (let i = 0; i < n; i++) {
      x!.set(b!.subarray(row(order[i]!), row(order[i]! + 1)), row(i))
      for (let k = 0; k < i; k++) subtractRow(x!, row(i), lu[i * n + k]!, x!, row(k), columns)
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) subtractRow(x!, row(i), lu[i * n + k]!, x!, row(k), columns)
      for (let c = 0; c < columns; c++) x![row(i) + c]! /= lu[i * n + i]!
    }
  }),

  LogDeterminant: batched({ inputs: [2], outputs: [0, 0] }, ([a], [sign, log], { inputs }) => {
    const n = inputs[0]!.shape.at(-1)!
    const factors = factorize(a!, n)
    let total = 0
    let direction: number = factors.sign
    for (let i = 0; i < n; i++) {
      const pivot = factors.lu[i * n + i]!
      direction *= Math.sign(pivot)
      total += Math.log(Math.abs(pivot))
    }
    sign![0] = direction
    log![0] = total
  }),
}
