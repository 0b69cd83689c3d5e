// Local SGD: each replica trains variables of its own, and every so many steps all of them go on from what they have learned on average.
import type { NDArray, OptionRules, Tensor } from '@shoal/core'
import {
  checkOptions,
  colocateWith,
  fill,
  NDArray as Values,
  ndarray,
  optionRules,
  ValueError,
  Variable,
  variable,
} from '@shoal/core'
import type { Hook, TrainingRun } from '@shoal/train'
import { sliceOf } from '@shoal/train'

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
  /** The key of the exchange; its variables are named by it. Default 'localSgd'. */
  readonly key?: string
}

const defaultKey = 'localSgd'

const rules: OptionRules<LocalSgdOptions> = {
  variables: optionRules.any,
  every: optionRules.whole(1),
  replicas: optionRules.any,
  outerMomentum: optionRules.from(0),
  outerRate: optionRules.from(0),
  key: optionRules.text,
}

/** What one variable is averaged by; the same at all replicas. */
interface Outer {
  readonly variable: Variable
  /** Its value after the last average. */
  readonly anchor: Variable
  readonly velocity: Variable | undefined
  /** What these two have, if there is a velocity. */
  at: NDArray
  speed: NDArray | undefined
}

/**
 * A hook of `train`, or to be called around steps of one's own: `begin` before the first, `afterRun` after each. With v the velocity, x the
 * anchor and d = x - mean of the replicas: v = momentum · v + d; x = x - rate · (d + momentum · v).
 * Replicas send what changed, not what they have, so that little is lost where that travels in fewer bits. What it knows is in `variables`: a replica
 * whose session has them, of a checkpoint or of another replica, goes on as if it had never stopped; one that has not begins with no velocity. It
 * stands before hooks that save. Between two averages the replicas differ, and each needs a checkpoint of its own to go on to the bit.
 */
export class LocalSgd implements Hook {
  private readonly options: LocalSgdOptions
  private readonly outers: readonly Outer[]
  /** Steps since the beginning; 0: it has not begun. */
  private readonly counter: Variable
  private steps = 0

  /** @throws ValueError for options that cannot be. */
  constructor(options: LocalSgdOptions) {
    checkOptions('LocalSgd', options, rules)
    const { outerMomentum = 0, variables, key = defaultKey } = options
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
    this.counter = variable(0, { name: `${key}/step`, dtype: 'int32', trainable: false })
    this.outers = variables.map((of) => ({
      variable: of,
      anchor: stateOf(of, `${key}/anchor`),
      velocity: outerMomentum > 0 ? stateOf(of, `${key}/velocity`) : undefined,
      at: none,
      speed: undefined,
    }))
  }

  /** Its own state, for checkpoints: `<key>/step`, and `<variable>/<key>/anchor` and `velocity`, the latter where there is an outer momentum. */
  get variables(): readonly Variable[] {
    const states = this.outers.flatMap(({ anchor, velocity }) => (velocity ? [anchor, velocity] : [anchor]))
    return [this.counter, ...states]
  }

  /** Goes on from its variables, if the session has them of a run before; else it takes the values of now for those that all replicas have. */
  async begin({ session }: Pick<TrainingRun, 'session'>): Promise<void> {
    await session.initialize(this.variables)
    this.steps = (await session.run(this.counter)).number()
    for (const outer of this.outers) {
      const { variable: of, anchor, velocity } = outer
      outer.at = await session.run(this.steps === 0 ? of : anchor)
      outer.speed = velocity && (await session.run(velocity))
      if (this.steps === 0) await session.write(anchor, outer.at)
    }
  }

  /** Counts a step; after so many of them the replicas are averaged. */
  async afterRun({ session }: Pick<TrainingRun, 'session'>): Promise<void> {
    this.steps++
    if (this.steps % this.options.every === 0) await this.average(session)
    await session.write(this.counter, ndarray(this.steps, 'int32'))
  }

  private async average(session: TrainingRun['session']): Promise<void> {
    const { replicas, outerMomentum = 0, outerRate = 1, key = defaultKey } = this.options
    const values = await session.run(this.outers.map(({ variable: of }) => of))
    const changes = this.outers.map(({ at }, i) => combined(at, values[i]!, (before, now) => before - now))
    const means = await replicas.allReduce(key, changes)
    for (const [i, outer] of this.outers.entries()) {
      const change = means[i]!
      outer.speed &&= combined(outer.speed, change, (v, d) => outerMomentum * v + d)
      const step = outer.speed ? combined(change, outer.speed, (d, v) => d + outerMomentum * v) : change
      outer.at = combined(outer.at, step, (x, d) => x - outerRate * d)
    }
    await Promise.all(
      this.outers.flatMap(({ variable: of, anchor, velocity, at, speed }) => [
        session.write(of, at),
        session.write(anchor, at),
        ...(velocity && speed ? [session.write(velocity, speed)] : []),
      ]),
    )
  }
}

/** No value yet. */
const none = ndarray([])

/** A variable of zeros beside another, a part of the same whole where that is a part. */
function stateOf(of: Variable, suffix: string): Variable {
  const { type, initial } = of.resource
  const zeros = (): Tensor => fill({ shape: type.shape, value: 0, dtype: type.dtype })
  const made = initial ? colocateWith(initial, zeros) : zeros()
  const name = `${of.name}/${suffix}`
  return new Variable({
    kind: 'variable',
    name,
    type,
    initial: made,
    trainable: false,
    ...sliceOf(of, suffix),
  })
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
