import { describe, expect, it } from 'vitest'
import { Random } from '../random.ts'
import { cholesky, inverse, logDeterminant, solveLower, solveUpper } from './cholesky.ts'
import { symmetricEigen } from './eigen.ts'
import { minimize } from './minimize.ts'
import { complementaryError, logNormalDensity, normalDensity, normalProbability } from './normal.ts'

/** A · Aᵀ of a random A: symmetric and positive definite. */
function positive(size: number, seed: number): Float64Array {
  const random = new Random(seed, 0)
  const a = Array.from({ length: size * size }, () => random.normal())
  return Float64Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size]
    return Array.from({ length: size }, (_, k) => a[i * size + k]! * a[j * size + k]!).reduce(
      (x, y) => x + y,
      0,
    )
  })
}

function times(a: ArrayLike<number>, b: ArrayLike<number>, size: number): number[] {
  return Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size]
    return Array.from({ length: size }, (_, k) => a[i * size + k]! * b[k * size + j]!).reduce(
      (x, y) => x + y,
      0,
    )
  })
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)))

describe('a Cholesky factor', () => {
  it('solves, inverts and tells the determinant', () => {
    const size = 7
    const matrix = positive(size, 1)
    const lower = cholesky(matrix, size)!
    const identity = Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? 1 : 0))
    expect(largest(times(matrix, inverse(lower, size), size), identity)).toBeLessThan(1e-9)
    const b = Array.from({ length: size }, (_, i) => i - 2)
    const x = solveUpper(lower, solveLower(lower, b))
    const back = b.map((_, i) => x.reduce((sum, value, k) => sum + matrix[i * size + k]! * value, 0))
    expect(largest(back, b)).toBeLessThan(1e-9)
    const { values } = symmetricEigen(matrix, size)
    expect(logDeterminant(lower, size)).toBeCloseTo(
      values.reduce((sum, value) => sum + Math.log(value), 0),
      9,
    )
  })

  it('does not exist where a matrix is not positive definite', () => {
    expect(cholesky(Float64Array.of(1, 2, 2, 1), 2)).toBe(undefined)
  })
})

describe('eigenvectors', () => {
  it.each([1, 2, 3, 10])('make a symmetric matrix of %i rows', (size) => {
    const matrix = positive(size, size)
    const { values, vectors } = symmetricEigen(matrix, size)
    const stretched = vectors.map((value, at) => value * values[at % size]!)
    const transposed = vectors.map((_, at) => vectors[(at % size) * size + Math.floor(at / size)]!)
    expect(largest(times(stretched, transposed, size), matrix)).toBeLessThan(1e-12 * Math.max(...values))
  })
})

describe('minimize', () => {
  const rosenbrock = ([x, y]: Float64Array) => ({
    value: 100 * (y! - x! * x!) ** 2 + (1 - x!) ** 2,
    gradient: Float64Array.of(-400 * x! * (y! - x! * x!) - 2 * (1 - x!), 200 * (y! - x! * x!)),
  })

  it('finds the end of a bent valley', () => {
    const { at, value } = minimize(rosenbrock, [-1.2, 1], { low: [-5, -5], high: [5, 5], tolerance: 1e-14 })
    expect(value).toBeLessThan(1e-9)
    expect(largest(at, [1, 1])).toBeLessThan(1e-4)
  })

  it('stops at walls', () => {
    const { at } = minimize(rosenbrock, [-1.2, 1], { low: [-5, -5], high: [0.5, 5], tolerance: 1e-14 })
    expect(largest(at, [0.5, 0.25])).toBeLessThan(1e-6)
  })

  it('stays where there is nowhere to go', () => {
    const flat = minimize(() => ({ value: 3, gradient: new Float64Array(2) }), [1, 2], {
      low: [0, 0],
      high: [4, 4],
    })
    expect([...flat.at]).toEqual([1, 2])
  })
})

describe('the normal distribution', () => {
  // Abramowitz and Stegun, tables 7.1 and 26.1, and for 5 the leading terms of the asymptotic series.
  it.each([
    [0.5, 0.4795001222],
    [1, 0.1572992071],
    [2, 0.0046777349],
    [2.5, 0.000406952],
    [3, 0.0000220905],
  ])('knows erfc(%d)', (x, value) => {
    expect(complementaryError(x)).toBeCloseTo(value, 9)
    expect(complementaryError(-x)).toBeCloseTo(2 - value, 9)
  })

  it('goes on smoothly where the series hands over', () => {
    const [before, after] = [complementaryError(2.5 - 1e-9), complementaryError(2.5)]
    const slope = (2 / Math.sqrt(Math.PI)) * Math.exp(-6.25)
    expect((before - after) / (slope * 1e-9)).toBeCloseTo(1, 3)
  })

  it('has a density that is the slope of its probability', () => {
    for (const x of [-4, -2, -0.3, 0, 1.7, 3]) {
      const slope = (normalProbability(x + 1e-5) - normalProbability(x - 1e-5)) / 2e-5
      expect(slope / normalDensity(x)).toBeCloseTo(1, 5)
      expect(logNormalDensity(x)).toBeCloseTo(Math.log(normalDensity(x)), 12)
    }
  })
})

describe('random numbers', () => {
  it('are the same by seed and stream, and others by another', () => {
    const draw = (seed: number, stream: number) =>
      Array.from(
        { length: 4 },
        (
          (random) => () =>
            random.uniform()
        )(new Random(seed, stream)),
      )
    expect(draw(1, 2)).toEqual(draw(1, 2))
    expect(draw(1, 2)).not.toEqual(draw(1, 3))
    expect(draw(1, 2)).not.toEqual(draw(1 + 2 ** 32, 2))
  })

  it('have the moments that they should', () => {
    const random = new Random(4, 0)
    const drawn = Array.from({ length: 4000 }, () => random.normal())
    const mean = drawn.reduce((sum, x) => sum + x, 0) / drawn.length
    expect(mean).toBeCloseTo(0, 1)
    expect(drawn.reduce((sum, x) => sum + x * x, 0) / drawn.length).toBeCloseTo(1, 1)
    expect(new Set(new Random(1, 1).shuffled([1, 2, 3]))).toEqual(new Set([1, 2, 3]))
  })
})
