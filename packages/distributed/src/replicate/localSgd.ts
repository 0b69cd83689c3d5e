// Local SGD: each replica trains variables of its own, and every so many steps all of them go on from what they have learned on average.
import type { NDArray, OptionRules, TypedArray, Variable } from '@shoal/core'
import { allocate, checkOptions, NDArray as Values, optionRules, ValueError } from '@shoal/core'
import type { Hook, TrainingRun } from '@shoal/train'

/** Averages over replicas. All of them ask for the same keys in the same order, with arrays of the same types. */
export interface AllReduce {
  /** The means of the arrays over all replicas, as arrays that nobody else writes to. */
  allReduce(key: string, arrays: readonly NDArray[]): Promise<readonly NDArray[]>
}

/** When replicas are averaged, and how. */
export interface LocalSgdOptions {
  /** What is averaged: float32 or float64. All replicas begin with the same values. */
  readonly variables: readonly Variable[]
  /** Steps between two averages. */
  readonly every: number
  readonly replicas: AllReduce
  /**
   * What remains of the outer velocity from one average to the next, from 0 and below 1. The outer steps are Nesterov's: DiLoCo (Douillard et
   * al., 2023) has 0.9 with an outer rate of 0.7. Default 0.
   */
  readonly outerMomentum?: number
  /** How far to go towards the average. Default 1: with no momentum all replicas go on from the average itself. */
  readonly outerRate?: number
  /** The key of the exchange. Default 'localSgd'. */
  readonly key?: string
}

const rules: OptionRules<LocalSgdOptions> = {
  variables: optionRules.any,
  every: optionRules.whole(1),
  replicas: optionRules.any,
  outerMomentum: optionRules.from(0),
  outerRate: optionRules.from(0),
  key: optionRules.text,
}

/** What one variable is averaged by. */
interface Outer {
  readonly variable: Variable
  /** Its value after the last average, the same at all replicas. */
  anchor: NDArray
  readonly velocity: TypedArray
}

/**
 * A hook of `train`, or to be called around steps of one's own: `begin` before the first, `afterRun` after each. With v the velocity, x the
 * anchor and d = x - mean of the replicas: v = momentum · v + d; x = x - rate · (d + momentum · v).
 * Replicas send what changed, not what they have, so that little is lost where that travels in fewer bits. A replica that is started anew begins
 * with no velocity.
 */
export class LocalSgd implements Hook {
  private readonly options: LocalSgdOptions
  private outers: readonly Outer[] = []
  private steps = 0

  /** @throws ValueError for options that cannot be. */
  constructor(options: LocalSgdOptions) {
    checkOptions('LocalSgd', options, rules)
    const { outerMomentum = 0, variables } = options
    if (outerMomentum >= 1)
      throw new ValueError(
        `LocalSgd: outerMomentum ${outerMomentum} must be below 1, or nothing is forgotten`,
      )
    const other = variables.find(({ dtype }) => dtype !== 'float32' && dtype !== 'float64')
    if (other)
      throw new ValueError(
        `LocalSgd: '${other.name}' is ${other.dtype}; only float32 and float64 variables are averaged`,
      )
    this.options = options
  }

  /** Takes the values of now for those that all replicas have. */
  async begin({ session }: Pick<TrainingRun, 'session'>): Promise<void> {
    const { variables } = this.options
    const values = await session.run(variables)
    this.outers = variables.map((variable, i) => {
      const anchor = values[i]!
      return { variable, anchor, velocity: allocate(anchor.dtype, anchor.size) as TypedArray }
    })
    this.steps = 0
  }

  /** Counts a step; after so many of them the replicas are averaged. */
  async afterRun({ session }: Pick<TrainingRun, 'session'>): Promise<void> {
    this.steps++
    if (this.steps % this.options.every === 0) await this.average(session)
  }

  private async average(session: TrainingRun['session']): Promise<void> {
    const { replicas, outerMomentum = 0, outerRate = 1, key = 'localSgd' } = this.options
    const values = await session.run(this.outers.map(({ variable }) => variable))
    const changes = this.outers.map(({ anchor }, i) =>
      combined(anchor, values[i]!, (before, now) => before - now),
    )
    const means = await replicas.allReduce(key, changes)
    for (const [i, outer] of this.outers.entries()) {
      const velocity = outer.velocity as Float64Array
      const change = means[i]!.data as Float64Array
      for (let k = 0; k < velocity.length; k++) velocity[k] = outerMomentum * velocity[k]! + change[k]!
      const step = combined(
        means[i]!,
        new Values(outer.anchor.dtype, outer.anchor.shape, outer.velocity as never),
        (d, v) => d + outerMomentum * v,
      )
      outer.anchor = combined(outer.anchor, step, (x, d) => x - outerRate * d)
    }
    await Promise.all(this.outers.map(({ variable, anchor }) => session.write(variable, anchor)))
  }
}

/** A new array of f over the elements of two. */
function combined(a: NDArray, b: NDArray, f: (x: number, y: number) => number): NDArray {
  const other = b.data as Float64Array
  return new Values(
    a.dtype as 'float64',
    a.shape,
    (a.data as Float64Array).map((x, i) => f(x, other[i]!)),
  )
}
