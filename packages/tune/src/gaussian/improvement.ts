// What is to be gained somewhere: the logarithm of expected improvement, and of the probability that constraints are kept.
// Jones et al., Efficient Global Optimization, 1998; by logarithms as Ament et al., Unexpected Improvements to Expected Improvement, 2023; constraints as
// Gardner et al., Bayesian Optimization with Inequality Constraints, 2014.
import {
  logNormalDensity,
  normalDensity,
  normalProbability,
  scaledComplementaryError,
} from '../numeric/normal.ts'

/** A value with its derivative. */
export interface WithSlope {
  readonly value: number
  readonly slope: number
}

/** Below this both numbers are computed by what remains of erfc without its exponential. */
const far = -2.5 * Math.SQRT2

/** log(φ(z) + z·Φ(z)): expected improvement for a deviation of 1, when the best so far is z above the mean. */
export function logImprovement(z: number): WithSlope {
  if (z > far) {
    const probability = normalProbability(z)
    const gain = normalDensity(z) + z * probability
    return { value: Math.log(gain), slope: probability / gain }
  }
  // Φ(z) = φ(z) · ratio; what is left of 1 + z · ratio is about 1/z².
  const ratio = millsRatio(z)
  const rest = z < -1e5 ? 1 / (z * z) : 1 + z * ratio
  return { value: logNormalDensity(z) + Math.log(rest), slope: ratio / rest }
}

/** log Φ(z). */
export function logProbability(z: number): WithSlope {
  if (z > far) {
    const probability = normalProbability(z)
    return { value: Math.log(probability), slope: normalDensity(z) / probability }
  }
  const ratio = millsRatio(z)
  return { value: logNormalDensity(z) + Math.log(ratio), slope: 1 / ratio }
}

/** Φ(z) / φ(z), for z far below 0. */
const millsRatio = (z: number): number => Math.sqrt(Math.PI / 2) * scaledComplementaryError(-z / Math.SQRT2)
