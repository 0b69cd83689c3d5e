// How alike the values of two places are: Matérn's kernel with smoothness 5/2 and a length for each parameter. Rasmussen and Williams, Gaussian Processes for
// Machine Learning, 2006, equation 4.17.
import type { Domain } from '../space/domain.ts'

/** A place in a space, one number from 0 to 1 for each parameter; undefined for one that is not there. */
export type Point = readonly (number | undefined)[]

const root5 = Math.sqrt(5)

/** How far two values of a parameter are apart, squared: categories, and what is there at one place only, by 1. */
export function squaredGap(domain: Domain, a: number | undefined, b: number | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : 1
  if (domain.kind === 'categorical') return a === b ? 0 : 1
  return (a - b) ** 2
}

/** The kernel at a squared distance, for a signal of 1. */
export function matern(squared: number): number {
  const r = root5 * Math.sqrt(squared)
  return (1 + r + (r * r) / 3) * Math.exp(-r)
}

/** Its derivative by the squared distance. */
export function maternSlope(squared: number): number {
  const r = root5 * Math.sqrt(squared)
  return (-5 / 6) * (1 + r) * Math.exp(-r)
}

/** The squared distance of two places, in lengths. */
export function squaredDistance(
  domains: readonly Domain[],
  lengths: ArrayLike<number>,
  a: Point,
  b: Point,
): number {
  let sum = 0
  for (let i = 0; i < domains.length; i++) sum += squaredGap(domains[i]!, a[i], b[i]) / lengths[i]! ** 2
  return sum
}
