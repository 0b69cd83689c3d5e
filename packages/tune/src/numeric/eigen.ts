// Eigenvalues and eigenvectors of symmetric matrices, by Jacobi's rotations: simple, exact, and quick enough for some dozens of rows.
// Golub and Van Loan, Matrix Computations, section 8.5.

/** A symmetric matrix as vectors[k], which are orthonormal, and values[k]. */
export interface Eigen {
  readonly values: Float64Array
  /** Row by row: element i of vector k is at i · size + k. */
  readonly vectors: Float64Array
}

/** The eigenvalues and eigenvectors of a symmetric matrix, which is given row by row. */
export function symmetricEigen(matrix: Float64Array, size: number): Eigen {
  const a = Float64Array.from(matrix)
  const vectors = new Float64Array(size * size)
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1
  for (let sweep = 0; sweep < 60; sweep++) {
    let [off, diagonal] = [0, 0]
    for (let i = 0; i < size; i++) {
      diagonal += a[i * size + i]! ** 2
      for (let j = 0; j < i; j++) off += a[i * size + j]! ** 2
    }
    if (off <= 1e-32 * diagonal) break
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, vectors, size, p, q)
  }
  return { values: Float64Array.from({ length: size }, (_, i) => a[i * size + i]!), vectors }
}

/** Makes element (p, q) zero. */
function rotate(a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const apq = a[p * size + q]!
  if (apq === 0) return
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * apq)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1))
  const c = 1 / Math.hypot(t, 1)
  const s = t * c
  for (let k = 0; k < size; k++) turn(a, k * size + p, k * size + q, c, s)
  for (let k = 0; k < size; k++) turn(a, p * size + k, q * size + k, c, s)
  for (let k = 0; k < size; k++) turn(vectors, k * size + p, k * size + q, c, s)
}

function turn(x: Float64Array, at: number, other: number, c: number, s: number): void {
  const [u, v] = [x[at]!, x[other]!]
  x[at] = c * u - s * v
  x[other] = s * u + c * v
}
