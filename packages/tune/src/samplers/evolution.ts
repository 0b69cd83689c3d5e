// The state of covariance matrix adaptation and how a generation changes it: pure, so that it can be told again from the trials.
// Hansen, The CMA Evolution Strategy: A Tutorial, 2016; equation numbers are of that text.
import { symmetricEigen } from '../numeric/eigen.ts'

/** A normal distribution, and the paths that its mean has gone. */
export interface Evolution {
  readonly generation: number
  readonly mean: Float64Array
  readonly sigma: number
  /** Row by row. */
  readonly covariance: Float64Array
  readonly covariancePath: Float64Array
  readonly sigmaPath: Float64Array
  /** Of the covariance: deviations along its axes, and the axes. */
  readonly scales: Float64Array
  readonly axes: Float64Array
}

/** What does not change: table 1 of the tutorial, for a number of parameters and of trials in a generation. */
export interface Strategy {
  readonly size: number
  readonly population: number
  /** Of the best half, the best first. */
  readonly weights: readonly number[]
  readonly effective: number
  readonly cSigma: number
  readonly dSigma: number
  readonly cPath: number
  readonly cOne: number
  readonly cMu: number
  /** How long a random vector is to be expected. */
  readonly expectedLength: number
}

/** The settings for so many parameters. */
export function strategyFor(size: number, population: number): Strategy {
  const raw = Array.from(
    { length: Math.floor(population / 2) },
    (_, i) => Math.log((population + 1) / 2) - Math.log(i + 1),
  )
  const sum = raw.reduce((a, b) => a + b, 0)
  const weights = raw.map((weight) => weight / sum)
  const effective = 1 / weights.reduce((total, weight) => total + weight ** 2, 0)
  const cSigma = (effective + 2) / (size + effective + 5)
  const dSigma = 1 + 2 * Math.max(0, Math.sqrt((effective - 1) / (size + 1)) - 1) + cSigma
  const cPath = (4 + effective / size) / (size + 4 + (2 * effective) / size)
  const cOne = 2 / ((size + 1.3) ** 2 + effective)
  const cMu = Math.min(1 - cOne, (2 * (effective - 2 + 1 / effective)) / ((size + 2) ** 2 + effective))
  const expectedLength = Math.sqrt(size) * (1 - 1 / (4 * size) + 1 / (21 * size ** 2))
  return {
    size,
    population,
    weights,
    effective,
    cSigma,
    dSigma,
    cPath,
    cOne,
    cMu: Math.max(0, cMu),
    expectedLength,
  }
}

/** Where it begins. */
export function beginning(mean: ArrayLike<number>, sigma: number): Evolution {
  const size = mean.length
  const covariance = new Float64Array(size * size)
  for (let i = 0; i < size; i++) covariance[i * size + i] = 1
  return {
    generation: 0,
    mean: Float64Array.from(mean),
    sigma,
    covariance,
    covariancePath: new Float64Array(size),
    sigmaPath: new Float64Array(size),
    scales: new Float64Array(size).fill(1),
    axes: Float64Array.from(covariance),
  }
}

/** The place at a standard normal vector: equations 38 to 40. */
export function placeAt({ mean, sigma, scales, axes }: Evolution, normal: ArrayLike<number>): Float64Array {
  const size = mean.length
  return mean.map((middle, i) => {
    let sum = 0
    for (let k = 0; k < size; k++) sum += axes[i * size + k]! * scales[k]! * normal[k]!
    return middle + sigma * sum
  })
}

/** The next generation, from the places of this one, the best first. */
export function evolved(
  before: Evolution,
  places: readonly ArrayLike<number>[],
  strategy: Strategy,
): Evolution {
  const { size, weights, effective, cSigma, dSigma, cPath, cOne, cMu, expectedLength } = strategy
  const steps = weights.map((_, rank) =>
    Float64Array.from(before.mean, (middle, i) => (places[rank]![i]! - middle) / before.sigma),
  )
  const step = before.mean.map((_, i) => weights.reduce((sum, weight, k) => sum + weight * steps[k]![i]!, 0))
  const mean = before.mean.map((middle, i) => middle + before.sigma * step[i]!)
  const generation = before.generation + 1
  // Equation 43: the step as if the covariance were that of a sphere.
  const along = whitened(before, step)
  const pull = Math.sqrt(cSigma * (2 - cSigma) * effective)
  const sigmaPath = before.sigmaPath.map((old, i) => (1 - cSigma) * old + pull * along[i]!)
  const length = Math.hypot(...sigmaPath)
  const sigma = before.sigma * Math.exp(Math.min(1, (cSigma / dSigma) * (length / expectedLength - 1)))
  // The path stands still while sigma grows quickly: equation 45.
  const expected = (1.4 + 2 / (size + 1)) * expectedLength
  const moving = length / Math.sqrt(1 - (1 - cSigma) ** (2 * generation)) < expected ? 1 : 0
  const push = moving * Math.sqrt(cPath * (2 - cPath) * effective)
  const covariancePath = before.covariancePath.map((old, i) => (1 - cPath) * old + push * step[i]!)
  const lost = (1 - moving) * cPath * (2 - cPath)
  const covariance = new Float64Array(size * size)
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      const spread = weights.reduce((sum, weight, k) => sum + weight * steps[k]![i]! * steps[k]![j]!, 0)
      covariance[i * size + j] =
        (1 - cOne - cMu + cOne * lost) * before.covariance[i * size + j]! +
        cOne * covariancePath[i]! * covariancePath[j]! +
        cMu * spread
    }
  return { generation, mean, sigma, covariance, covariancePath, sigmaPath, ...axesOf(covariance, size) }
}

/** The deviations of a covariance along its axes, and the axes. */
export function axesOf(covariance: Float64Array, size: number): Pick<Evolution, 'scales' | 'axes'> {
  const { values, vectors } = symmetricEigen(covariance, size)
  return { scales: values.map((value) => Math.sqrt(Math.max(value, 1e-20))), axes: vectors }
}

/** A vector times the inverse root of the covariance. */
function whitened({ scales, axes }: Evolution, vector: Float64Array): Float64Array {
  const size = vector.length
  const result = new Float64Array(size)
  for (let k = 0; k < size; k++) {
    let share = 0
    for (let i = 0; i < size; i++) share += axes[i * size + k]! * vector[i]!
    share /= scales[k]!
    for (let i = 0; i < size; i++) result[i]! += axes[i * size + k]! * share
  }
  return result
}
