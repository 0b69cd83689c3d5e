// A Gaussian process through observations: what it expects anywhere, and how sure it is. Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006.
import type { Square } from '../numeric/cholesky.ts'
import { cholesky, inverse, logDeterminant, solveLower, solveUpper } from '../numeric/cholesky.ts'
import type { Slope } from '../numeric/minimize.ts'
import { minimize } from '../numeric/minimize.ts'
import type { Domain } from '../space/domain.ts'
import type { Point } from './kernel.ts'
import { matern, maternSlope, squaredDistance, squaredGap } from './kernel.ts'

/** What is believed of lengths, signal and noise before anything is seen: normal distributions of their logarithms. */
interface Belief {
  readonly mean: number
  readonly deviation: number
}

/** Values are standardised, so that a signal is about 1. Objectives may be exact, and may be noisy: only what is seen tells. */
const signalBelief: Belief = { mean: 0, deviation: 1 }
const noiseBelief: Belief = { mean: -9, deviation: 2.5 }
/** Hvarfner et al., Vanilla Bayesian Optimization Performs Great in High Dimensions, 2024: lengths grow with the number of parameters. */
const lengthBelief = (parameters: number): Belief => ({
  mean: -0.7 + 0.5 * Math.log(parameters),
  deviation: 1,
})

const least = { length: Math.log(0.01), signal: Math.log(0.01), noise: Math.log(1e-7) }
const most = { length: Math.log(30), signal: Math.log(100), noise: Math.log(1) }

/** What was learnt of a process. */
export interface Learnt {
  readonly lengths: Float64Array
  readonly signal: number
  readonly noise: number
}

/** Learns lengths, signal and noise: what makes the observations likeliest, given the beliefs. Equations 2.30 and 5.9. */
export function learn(
  domains: readonly Domain[],
  points: readonly Point[],
  values: ArrayLike<number>,
): Learnt {
  const count = domains.length
  const belief = lengthBelief(count)
  const loss = evidence(domains, points, values, belief)
  const each = (length: number, signal: number, noise: number): Float64Array =>
    Float64Array.from([...domains.map(() => length), signal, noise])
  const box = {
    low: each(least.length, least.signal, least.noise),
    high: each(most.length, most.signal, most.noise),
    iterations: 50,
    tolerance: 1e-5,
  }
  // One start explains by slow changes, the other by quick ones: which is right may not be found from the wrong side.
  const starts = [each(belief.mean, 0, -7), each(belief.mean - 1.5, 0, -4)]
  const [best] = starts.map((start) => minimize(loss, start, box)).sort((a, b) => a.value - b.value)
  return {
    lengths: best!.at.slice(0, count).map(Math.exp),
    signal: Math.exp(best!.at[count]!),
    noise: Math.exp(best!.at[count + 1]!),
  }
}

/** The negative logarithm of likelihood and beliefs, by the logarithms of lengths, signal and noise. */
function evidence(
  domains: readonly Domain[],
  points: readonly Point[],
  values: ArrayLike<number>,
  lengthBelieved: Belief,
): (settings: Float64Array) => Slope {
  const [size, count] = [points.length, domains.length]
  const gaps = domains.map((domain, axis) => {
    const own = new Float64Array(size * size)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < i; j++) own[i * size + j] = squaredGap(domain, points[i]![axis], points[j]![axis])
    return own
  })
  const beliefs = [...domains.map(() => lengthBelieved), signalBelief, noiseBelief]
  return (settings) => {
    const scales = domains.map((_, axis) => Math.exp(-2 * settings[axis]!))
    const signal = Math.exp(settings[count]!)
    const noise = Math.exp(settings[count + 1]!)
    const squared = new Float64Array(size * size)
    const kernel = new Float64Array(size * size)
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < i; j++) {
        const at = i * size + j
        let sum = 0
        for (let axis = 0; axis < count; axis++) sum += gaps[axis]![at]! * scales[axis]!
        squared[at] = sum
        kernel[at] = signal * matern(sum)
      }
      kernel[i * size + i] = signal + noise + jitter
    }
    const lower = cholesky(kernel, size)
    if (!lower) return { value: Infinity, gradient: new Float64Array(count + 2) }
    const weights = solveUpper(lower, solveLower(lower, values))
    let value = 0.5 * logDeterminant(lower, size)
    for (let i = 0; i < size; i++) value += 0.5 * values[i]! * weights[i]!
    const inverted = inverse(lower, size)
    const gradient = new Float64Array(count + 2)
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < i; j++) {
        const at = i * size + j
        // Both halves of the matrix: twice one half.
        const outer = inverted[at]! - weights[i]! * weights[j]!
        const slope = -2 * outer * signal * maternSlope(squared[at]!)
        for (let axis = 0; axis < count; axis++) gradient[axis]! += slope * gaps[axis]![at]! * scales[axis]!
        gradient[count]! += outer * kernel[at]!
      }
      const outer = inverted[i * size + i]! - weights[i]! ** 2
      gradient[count]! += 0.5 * outer * signal
      gradient[count + 1]! += 0.5 * outer * noise
    }
    beliefs.forEach(({ mean, deviation }, i) => {
      const off = (settings[i]! - mean) / deviation
      value += 0.5 * off * off
      gradient[i]! += off / deviation
    })
    return { value, gradient }
  }
}

/** Keeps matrices positive definite that rounding would not. */
const jitter = 1e-9

/** What a process expects somewhere, and how both change with the place. */
export interface Expectation {
  readonly mean: number
  readonly variance: number
  readonly meanSlope: Float64Array
  readonly varianceSlope: Float64Array
}

/** A process that has seen observations. Equations 2.25 and 2.26. */
export class GaussianProcess {
  readonly #domains: readonly Domain[]
  readonly #points: readonly Point[]
  readonly #learnt: Learnt
  readonly #lower: Square
  readonly #weights: Float64Array

  /** @param learnt what `learn` found, of these observations or of others */
  constructor(
    domains: readonly Domain[],
    points: readonly Point[],
    values: ArrayLike<number>,
    learnt: Learnt,
  ) {
    this.#domains = domains
    this.#points = points
    this.#learnt = learnt
    const size = points.length
    const kernel = new Float64Array(size * size)
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < i; j++) kernel[i * size + j] = this.#kernel(points[i]!, points[j]!)
      kernel[i * size + i] = learnt.signal + learnt.noise + jitter
    }
    this.#lower = positiveFactor(kernel, size)
    this.#weights = solveUpper(this.#lower, solveLower(this.#lower, values))
  }

  /** Mean and variance of the value at a place, without the noise. */
  at(point: Point): { readonly mean: number; readonly variance: number } {
    const row = Float64Array.from(this.#points, (other) => this.#kernel(point, other))
    const half = solveLower(this.#lower, row)
    return { mean: product(row, this.#weights), variance: this.#varianceOf(half) }
  }

  /** As `at`, with the derivatives by the place: 0 by parameters that are categories or not there. */
  slopeAt(point: Point): Expectation {
    const { signal, lengths } = this.#learnt
    const size = this.#points.length
    const row = new Float64Array(size)
    const slopes = new Float64Array(size)
    this.#points.forEach((other, i) => {
      const squared = squaredDistance(this.#domains, lengths, point, other)
      row[i] = signal * matern(squared)
      slopes[i] = signal * maternSlope(squared)
    })
    const half = solveLower(this.#lower, row)
    const whole = solveUpper(this.#lower, half)
    const meanSlope = new Float64Array(point.length)
    const varianceSlope = new Float64Array(point.length)
    point.forEach((own, axis) => {
      if (own === undefined || this.#domains[axis]!.kind === 'categorical') return
      for (let i = 0; i < size; i++) {
        const other = this.#points[i]![axis]
        if (other === undefined) continue
        const slope = (slopes[i]! * 2 * (own - other)) / lengths[axis]! ** 2
        meanSlope[axis]! += slope * this.#weights[i]!
        varianceSlope[axis]! -= 2 * slope * whole[i]!
      }
    })
    return { mean: product(row, this.#weights), variance: this.#varianceOf(half), meanSlope, varianceSlope }
  }

  #varianceOf(half: Float64Array): number {
    return Math.max(1e-12, this.#learnt.signal - product(half, half))
  }

  #kernel(a: Point, b: Point): number {
    const { signal, lengths } = this.#learnt
    return signal * matern(squaredDistance(this.#domains, lengths, a, b))
  }
}

/** The factor of a kernel matrix; points that lie on each other may need more on the diagonal. */
function positiveFactor(kernel: Square, size: number): Square {
  for (let more = 0; ; more = more === 0 ? 1e-8 : more * 10) {
    for (let i = 0; i < size; i++) kernel[i * size + i]! += more
    const lower = cholesky(kernel, size)
    if (lower) return lower
  }
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
