// A density learnt from points: a kernel around each, and one that is even, so that no value is ever ruled out.
import { normalProbability, logNormalDensity } from '../numeric/normal.ts'
import type { Random } from '../random.ts'
import type { Domain } from '../space/domain.ts'
import { sizeOf, stretchOf } from '../space/domain.ts'

/** A place in a space, one number from 0 to 1 for each parameter; undefined for one that is not there. */
export type Point = readonly (number | undefined)[]

/** The density of one parameter around one point. */
interface Kernel {
  draw(random: Random): number
  logDensity(unit: number): number
}

/** All values alike: for discrete ones by their stretches, which cancel where densities are compared. */
const even: Kernel = { draw: (random) => random.uniform(), logDensity: () => 0 }

/** A mixture of products of kernels, one for each point and an even one. Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011, section 4. */
export class ParzenEstimator {
  readonly #kernels: readonly (readonly Kernel[])[]
  readonly #logWeights: readonly number[]
  readonly #shares: readonly number[]

  /** @param weights one for each point, above 0; the even kernel has 1 */
  constructor(domains: readonly Domain[], points: readonly Point[], weights: readonly number[]) {
    const columns = domains.map((domain, axis) => kernelsOf(domain, axis, points))
    this.#kernels = [...points.map((_, i) => columns.map((column) => column[i]!)), domains.map(() => even)]
    const all = [...weights, 1]
    const sum = all.reduce((a, b) => a + b, 0)
    this.#shares = all.map((weight) => weight / sum)
    this.#logWeights = this.#shares.map(Math.log)
  }

  /** One of the kernels, by chance: it draws a number for parameter `axis`. */
  draw(random: Random): (axis: number) => number {
    let left = random.uniform()
    const at = this.#shares.findIndex((share) => (left -= share) < 0)
    const kernels = this.#kernels.at(at)!
    return (axis) => kernels[axis]!.draw(random)
  }

  /** The logarithm of the density of a point, over the parameters that it has. */
  logDensity(point: Point): number {
    const terms = this.#kernels.map((kernels, i) =>
      point.reduce<number>(
        (sum, unit, axis) => (unit === undefined ? sum : sum + kernels[axis]!.logDensity(unit)),
        this.#logWeights[i]!,
      ),
    )
    const most = Math.max(...terms)
    return most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0))
  }
}

/** A kernel for each point: even where the parameter is not there. */
function kernelsOf(domain: Domain, axis: number, points: readonly Point[]): readonly Kernel[] {
  const size = sizeOf(domain)
  // As much for all choices together, over all points, as the even kernel has for one.
  const spread = 1 / (points.length + 1)
  const width = Math.max(leastWidth, widthOf(points, axis))
  return points.map((point) => {
    const unit = point[axis]
    if (unit === undefined) return even
    return domain.kind === 'categorical'
      ? choiceKernel(Math.floor(unit * size), size, spread)
      : bellKernel(domain, unit, width)
  })
}

/** Kernels that are too narrow would find nothing but the points that are there. */
const leastWidth = 0.01

/**
 * Scott's rule, Multivariate Density Estimation, 1992: with n points in d parameters, their standard deviation times n^(-1/(d + 4)). As if a few
 * more points were spread evenly, so that a handful that happen to be close together do not end the search around them.
 */
function widthOf(points: readonly Point[], axis: number): number {
  const units = points.map((point) => point[axis]).filter((unit) => unit !== undefined)
  const mean = units.reduce((sum, unit) => sum + unit, 0) / Math.max(1, units.length)
  const squares = units.reduce((sum, unit) => sum + (unit - mean) ** 2, 0)
  // The variance of what is spread evenly from 0 to 1 is 1/12.
  const deviation = Math.sqrt((squares + evenPoints / 12) / (units.length + evenPoints))
  return narrower * deviation * Math.max(1, points.length) ** (-1 / ((points[0]?.length ?? 1) + 4))
}

/** How many points are added in thought, and by how much kernels are narrower than they say: found by trying, on the functions of the benchmarks. */
const evenPoints = 4
const narrower = 0.35

/** A bell around `middle`, cut off at 0 and 1. Of discrete values each has the probability of its stretch, by its length. */
function bellKernel(domain: Domain, middle: number, width: number): Kernel {
  const probability = (from: number, to: number): number =>
    normalProbability((to - middle) / width) - normalProbability((from - middle) / width)
  const logInside = Math.log(probability(0, 1))
  const logWidth = Math.log(width)
  const continuous = sizeOf(domain) === Infinity
  return {
    draw(random) {
      for (;;) {
        const unit = middle + width * random.normal()
        if (unit >= 0 && unit <= 1) return unit
      }
    },
    logDensity(unit) {
      if (continuous) return logNormalDensity((unit - middle) / width) - logWidth - logInside
      const [from, to] = stretchOf(domain, unit)
      return Math.log(Math.max(probability(from, to), Number.MIN_VALUE) / (to - from)) - logInside
    },
  }
}

/** One choice likelier than the others. */
function choiceKernel(choice: number, size: number, spread: number): Kernel {
  const sum = 1 + spread * size
  return {
    draw(random) {
      const at = random.uniform() * sum
      return ((at < 1 ? choice : Math.min(size - 1, Math.floor((at - 1) / spread))) + 0.5) / size
    },
    logDensity: (unit) => Math.log((size * (Math.floor(unit * size) === choice ? 1 + spread : spread)) / sum),
  }
}
