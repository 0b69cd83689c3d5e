// Symmetric positive definite matrices by their Cholesky factors: solving, determinants and inverses. Golub and Van Loan, Matrix Computations, section 4.2.

/** A square matrix, row by row. */
export type Square = Float64Array

/** The lower triangle L with L·Lᵀ = `matrix`, of which only the lower triangle is read; undefined where it is not positive definite. */
export function cholesky(matrix: Square, size: number): Square | undefined {
  const lower = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j]!
      for (let k = 0; k < j; k++) sum -= lower[i * size + k]! * lower[j * size + k]!
      if (i > j) lower[i * size + j] = sum / lower[j * size + j]!
      else if (sum > 0) lower[i * size + i] = Math.sqrt(sum)
      else return undefined
    }
  }
  return lower
}

/** x with L·x = `b`. */
export function solveLower(lower: Square, b: ArrayLike<number>): Float64Array {
  const size = b.length
  const x = new Float64Array(size)
  for (let i = 0; i < size; i++) {
    let sum = b[i]!
    for (let k = 0; k < i; k++) sum -= lower[i * size + k]! * x[k]!
    x[i] = sum / lower[i * size + i]!
  }
  return x
}

/** x with Lᵀ·x = `b`. */
export function solveUpper(lower: Square, b: ArrayLike<number>): Float64Array {
  const size = b.length
  const x = Float64Array.from(b)
  for (let i = size - 1; i >= 0; i--) {
    x[i]! /= lower[i * size + i]!
    for (let k = 0; k < i; k++) x[k]! -= lower[i * size + k]! * x[i]!
  }
  return x
}

/** The logarithm of the determinant of L·Lᵀ. */
export function logDeterminant(lower: Square, size: number): number {
  let sum = 0
  for (let i = 0; i < size; i++) sum += Math.log(lower[i * size + i]!)
  return 2 * sum
}

/** The inverse of L·Lᵀ. */
export function inverse(lower: Square, size: number): Square {
  const result = new Float64Array(size * size)
  const unit = new Float64Array(size)
  for (let column = 0; column < size; column++) {
    unit[column] = 1
    const x = solveUpper(lower, solveLower(lower, unit))
    unit[column] = 0
    for (let row = 0; row < size; row++) result[row * size + column] = x[row]!
  }
  return result
}
