// The standard normal distribution: densities and probabilities, exact to some fifteen digits.

/** The logarithm of the density of the standard normal distribution at 0, without its sign. */
const halfLogTau = 0.5 * Math.log(2 * Math.PI)

/** The logarithm of the density at x. */
export const logNormalDensity = (x: number): number => -0.5 * x * x - halfLogTau

/** The density at x. */
export const normalDensity = (x: number): number => Math.exp(logNormalDensity(x))

/** The probability of less than x. */
export const normalProbability = (x: number): number => 0.5 * complementaryError(-x / Math.SQRT2)

/**
 * 1 - erf(x): by the series of erf near 0 (Abramowitz and Stegun 7.1.6), by the continued fraction of erfc elsewhere (7.1.14), as Lentz's
 * method evaluates it.
 */
export function complementaryError(x: number): number {
  if (x < 0) return 2 - complementaryError(-x)
  if (x > 27) return 0
  const square = x * x
  if (x < 2.5) {
    let [sum, term] = [x, x]
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * square) / (2 * n + 1)
      sum += term
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-square) * sum
  }
  return (Math.exp(-square) / Math.sqrt(Math.PI)) * continuedFraction(x)
}

/** 1 / (x + (1/2) / (x + (2/2) / (x + (3/2) / …))): erfc without its exponential, for x from 2.5. */
function continuedFraction(x: number): number {
  let fraction = x
  let [c, d] = [x, 0]
  for (let n = 1; n < 200; n++) {
    d = 1 / (x + (n / 2) * d)
    c = x + n / 2 / c
    fraction *= c * d
    if (Math.abs(c * d - 1) < 1e-16) break
  }
  return 1 / fraction
}

/** erfc(x) · exp(x²), for x from 2.5, where erfc itself vanishes. */
export const scaledComplementaryError = (x: number): number => continuedFraction(x) / Math.sqrt(Math.PI)
