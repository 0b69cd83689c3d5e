// Orthogonal factorisations: QR by Householder reflections, eigenvectors and singular vectors by Jacobi rotations.
import { RunError } from '../../errors.ts'
import type { ReferenceKernels } from '../kernel.ts'
import type { Matrix } from './linalg.ts'
import { batched } from './linalg.ts'

// Jacobi sweeps converge quadratically; well-formed matrices need fewer than ten.
const maxSweeps = 60
const epsilon = 2 ** -52

/** Qr, Eigh and Svd. */
export const orthogonalKernels: ReferenceKernels = {
  Qr: batched({ inputs: [2], outputs: [2, 2] }, ([a], [q, r], { inputs, outputs }) => {
    const [m, n] = inputs[0]!.shape.slice(-2) as [number, number]
    const columns = outputs[0]!.shape.at(-1)!
    const rows = outputs[1]!.shape.at(-2)!
    const work = a!.slice()
    const reflectors = Array.from({ length: Math.min(m, n) }, (_, k) => reflector(work, m, n, k))
    for (let i = 0; i < rows; i++) for (let j = i; j < n; j++) r![i * n + j] = work[i * n + j]!
    for (let i = 0; i < Math.min(m, columns); i++) q![i * columns + i] = 1
    for (const v of reflectors.reverse()) reflect(q!, m, columns, v)
  }),

  Eigh: batched({ inputs: [2], outputs: [1, 2] }, ([a], [values, vectors], { inputs }) => {
    const n = inputs[0]!.shape.at(-1)!
    const { diagonal, basis } = jacobi(a!, n)
    const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => diagonal[i]! - diagonal[j]!)
    order.forEach((from, to) => {
      values![to] = diagonal[from]!
      const column = Array.from({ length: n }, (_, i) => basis[i * n + from]!)
      const sign = directionOf(column)
      column.forEach((x, i) => (vectors![i * n + to] = sign * x))
    })
  }),

  Svd: batched({ inputs: [2], outputs: [1, 2, 2] }, ([a], [s, u, v], { inputs }) => {
    const [m, n] = inputs[0]!.shape.slice(-2) as [number, number]
    if (m >= n) oneSidedJacobi(a!, m, n, s!, u!, v!)
    else oneSidedJacobi(transposed(a!, m, n), n, m, s!, v!, u!)
  }),
}

/** Reduces column k below the diagonal to zero in place. Answers the unit vector of the reflection I − 2vvᵀ, or undefined when there was nothing to do. */
function reflector(a: Matrix, m: number, n: number, k: number): Float64Array | undefined {
  let tail = 0
  for (let i = k + 1; i < m; i++) tail += a[i * n + k]! ** 2
  if (tail === 0) return undefined
  const head = a[k * n + k]!
  const norm = Math.sqrt(head ** 2 + tail)
  const v = new Float64Array(m)
  // The sign that does not cancel.
  v[k] = head + (head < 0 ? -norm : norm)
  for (let i = k + 1; i < m; i++) v[i] = a[i * n + k]!
  const length = Math.sqrt(v[k]! ** 2 + tail)
  v.forEach((x, i) => (v[i] = x / length))
  reflect(a, m, n, v)
  return v
}

function reflect(a: Matrix, m: number, n: number, v: Float64Array | undefined): void {
  if (!v) return
  // Rows lie in one piece, columns do not.
  const dots = new Float64Array(n)
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) dots[j]! += v[i]! * a[i * n + j]!
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) a[i * n + j]! -= 2 * dots[j]! * v[i]!
}

/** Cyclic Jacobi on the lower triangle of a symmetric matrix (Golub & Van Loan, Matrix Computations, 8.5). */
function jacobi(a: Matrix, n: number): { diagonal: Float64Array; basis: Matrix } {
  const s = a.map((_, k) => a[Math.max(Math.floor(k / n), k % n) * n + Math.min(Math.floor(k / n), k % n)]!)
  const basis = new Float64Array(n * n)
  for (let i = 0; i < n; i++) basis[i * n + i] = 1
  const scale = Math.sqrt(s.reduce((sum, x) => sum + x * x, 0))
  if (!Number.isFinite(scale)) throw new RunError('the matrix has elements that are not finite')
  for (let sweep = 0; sweep < maxSweeps; sweep++) {
    let off = 0
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += s[p * n + q]! ** 2
    if (Math.sqrt(off) <= epsilon * scale * 0.01) break
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const [c, t] = rotation(s[p * n + p]!, s[q * n + q]!, s[p * n + q]!)
        turnColumns(s, n, n, p, q, c, t)
        turnRows(s, n, p, q, c, t)
        turnColumns(basis, n, n, p, q, c, t)
      }
  }
  return { diagonal: Float64Array.from({ length: n }, (_, i) => s[i * n + i]!), basis }
}

/** Cosine and sine of the rotation that makes the symmetric 2×2 matrix [[p, off], [off, q]] diagonal: the smaller of the two angles. */
function rotation(p: number, q: number, off: number): [c: number, s: number] {
  if (off === 0) return [1, 0]
  const tau = (q - p) / (2 * off)
  const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau))
  const c = 1 / Math.sqrt(1 + t * t)
  return [c, t * c]
}

function turnColumns(
  a: Matrix,
  rows: number,
  columns: number,
  p: number,
  q: number,
  c: number,
  s: number,
): void {
  for (let i = 0; i < rows; i++) {
    const [x, y] = [a[i * columns + p]!, a[i * columns + q]!]
    a[i * columns + p] = c * x - s * y
    a[i * columns + q] = s * x + c * y
  }
}

function turnRows(a: Matrix, n: number, p: number, q: number, c: number, s: number): void {
  for (let j = 0; j < n; j++) {
    const [x, y] = [a[p * n + j]!, a[q * n + j]!]
    a[p * n + j] = c * x - s * y
    a[q * n + j] = s * x + c * y
  }
}

/** The sign that makes the component of largest magnitude (the first, among equals) positive, so that every device answers the same vector. */
function directionOf(v: ArrayLike<number>): 1 | -1 {
  let best = 0
  // Ten thousand roundings do not decide between components that are equal.
  for (let i = 1; i < v.length; i++) if (Math.abs(v[i]!) > Math.abs(v[best]!) * (1 + 1e-6)) best = i
  return v[best]! < 0 ? -1 : 1
}

/** A = U·diag(s)·Vᵀ with m ≥ n: columns of A are turned until all are orthogonal (Hestenes). s descends. */
function oneSidedJacobi(a: Matrix, m: number, n: number, s: Matrix, u: Matrix, v: Matrix): void {
  const work = a.slice()
  if (!work.every(Number.isFinite)) throw new RunError('the matrix has elements that are not finite')
  const basis = new Float64Array(n * n)
  for (let i = 0; i < n; i++) basis[i * n + i] = 1
  for (let sweep = 0, turned = true; turned && sweep < maxSweeps; sweep++) {
    turned = false
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const [pp, qq, pq] = products(work, m, n, p, q)
        if (Math.abs(pq) <= epsilon * Math.sqrt(pp * qq)) continue
        turned = true
        const [c, t] = rotation(pp, qq, pq)
        turnColumns(work, m, n, p, q, c, t)
        turnColumns(basis, n, n, p, q, c, t)
      }
  }
  const norms = Array.from({ length: n }, (_, j) => Math.sqrt(products(work, m, n, j, j)[0]))
  const order = norms.map((_, j) => j).sort((i, j) => norms[j]! - norms[i]!)
  order.forEach((from, to) => {
    const column = Array.from({ length: n }, (_, i) => basis[i * n + from]!)
    const sign = directionOf(column)
    s[to] = norms[from]!
    column.forEach((x, i) => (v[i * n + to] = sign * x))
    for (let i = 0; i < m; i++) u[i * n + to] = (sign * work[i * n + from]!) / norms[from]!
  })
  const floor = norms[order[0] ?? 0]! * epsilon * m
  order.forEach((from, to) => {
    if (!(norms[from]! > floor)) completeColumn(u, m, n, to)
  })
}

function products(
  a: Matrix,
  m: number,
  n: number,
  p: number,
  q: number,
): [pp: number, qq: number, pq: number] {
  let [pp, qq, pq] = [0, 0, 0]
  for (let i = 0; i < m; i++) {
    const [x, y] = [a[i * n + p]!, a[i * n + q]!]
    pp += x * x
    qq += y * y
    pq += x * y
  }
  return [pp, qq, pq]
}

/** Replaces a column that belongs to the singular value 0 by a unit vector orthogonal to those before it. */
function completeColumn(u: Matrix, m: number, n: number, column: number): void {
  let best = new Float64Array(m)
  let bestNorm = -1
  for (let axis = 0; axis < m; axis++) {
    const e = new Float64Array(m)
    e[axis] = 1
    for (let j = 0; j < column; j++) {
      let dot = 0
      for (let i = 0; i < m; i++) dot += u[i * n + j]! * e[i]!
      for (let i = 0; i < m; i++) e[i]! -= dot * u[i * n + j]!
    }
    const norm = Math.sqrt(e.reduce((sum, x) => sum + x * x, 0))
    if (norm > bestNorm) [best, bestNorm] = [e, norm]
  }
  best.forEach((x, i) => (u[i * n + column] = x / bestNorm))
}

const transposed = (a: Matrix, m: number, n: number): Matrix =>
  a.map((_, k) => a[(k % m) * n + Math.floor(k / m)]!)
