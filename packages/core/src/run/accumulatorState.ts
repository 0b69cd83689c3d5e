// Gradients of one step from many sides, and the line of those who wait for a set of them. A set is used once, whoever uses it.
import { RunError } from '../errors.ts'
import type { NDArray } from '../ndarray.ts'
import type { GradientType } from '../resource.ts'
import type { GradientSum } from './gradientSum.ts'
import { gradientSum } from './gradientSum.ts'

/** What comes with a gradient of each type. */
export interface Contribution {
  /** The step that they were computed at: they count only if the accumulator is at it. */
  readonly step: number
  /** What they count for in the mean: the number of examples. */
  readonly weight: number
  /** Who they are from: of one contributor only the first of a step counts. -1: nobody in particular. */
  readonly from: number
}

/** What those who ask for a set are told. */
export interface Lease {
  /** Is it theirs to use? Otherwise the step is over. */
  readonly taken: boolean
  /** The step that the accumulator is at. */
  readonly step: number
}

/** A run, by its number. */
type Run = number

interface Waiter {
  /** Does what can be done now. Answers true when nothing is left to wait for. */
  attempt(): boolean
  fail(error: unknown): void
}

/** Sums contributions, and hands out their mean when there are enough of them. Waits end when their signal is aborted. */
export class AccumulatorState {
  private readonly name: string
  private readonly sums: readonly GradientSum[]
  private readonly line: Waiter[] = []
  private readonly contributors = new Set<number>()
  private needed: number
  private weight = 0
  /** Grows with each set that was used or thrown away. */
  private sets = 0
  private holder: Run | undefined
  /** The step that is gathered for; below 0 it is held: nothing counts, and all wait until the step is set. */
  step: number
  /** Contributions to the present set. */
  gathered = 0
  /** Contributions that did not count: of another step, too late or repeated. */
  dropped = 0

  /** @param count how many contributions make a set. */
  constructor(name: string, types: readonly GradientType[], count: number, step = 0) {
    this.name = name
    this.step = step
    this.sums = types.map(gradientSum)
    this.needed = count
  }

  /**
   * Adds a gradient of each type to the set; answers whether they count.
   * @throws RunError for a weight below 0 or rows that have no room.
   */
  add(arrays: readonly NDArray[], { step, weight, from }: Contribution): boolean {
    if (!(weight >= 0 && weight < Infinity))
      throw new RunError(`weight ${weight} must be a number of examples: finite, and not below 0`)
    if (!this.isAt(step) || this.holder !== undefined || this.contributors.has(from)) {
      this.dropped++
      return false
    }
    const gradients = this.divided(arrays)
    this.sums.forEach((sum, i) => sum.check(gradients[i]!))
    // Without examples a gradient may be anything: the mean of nothing is NaN.
    if (weight > 0) this.sums.forEach((sum, i) => sum.add(gradients[i]!, weight))
    this.weight += weight
    this.gathered++
    if (from >= 0) this.contributors.add(from)
    this.serve()
    return true
  }

  /** Waits for `count` contributions, takes them, and goes on to the next step. @throws the reason of `signal` when it is aborted. */
  take(count: number, signal?: AbortSignal): Promise<NDArray[]> {
    return this.wait(signal, (done) => () => {
      if (this.holder !== undefined || this.gathered < count) return false
      done(this.mean())
      this.goOn(this.step + 1)
      return true
    })
  }

  /**
   * Waits until the set of a step is complete, and lends it to one run, which says with `settle` that it has used it. If that run ends
   * before it did, the next in line gets the set. All others wait until it was used, or the step was set, and are told where things stand.
   * @param from who asks, as in `add`: of whom nothing is in a set that lacks contributions, since what he gave was dropped or thrown away, he is
   * told at once that it is not his, so that he gives again. -1: nobody in particular, who waits.
   * @throws the reason of `signal` when it is aborted.
   */
  lease(step: number, run: Run, signal?: AbortSignal, from = -1): Promise<Lease> {
    const { sets } = this
    const isOver = !this.isAt(step)
    return this.wait(signal, (done) => () => {
      if (this.step < 0) return false
      let taken = !isOver && sets === this.sets
      if (taken && this.holder !== undefined) return false
      if (taken && this.gathered < this.needed) {
        if (from < 0 || this.contributors.has(from)) return false
        taken = false
      }
      if (taken) this.holder = run
      done({ taken, step: this.step })
      return true
    })
  }

  /** The mean of the set, by its weights, for the run that has it. @throws RunError when that is another. */
  meanFor(run: Run): NDArray[] {
    this.demandHolder(run)
    return this.mean()
  }

  /** The set was used: on to the next step. @throws RunError when this run does not have it. */
  settle(run: Run): void {
    this.demandHolder(run)
    this.goOn(this.step + 1)
    this.serve()
  }

  /** As when a run ends: gives a set back that it has not used. */
  release(run: Run): void {
    if (this.holder !== run) return
    this.holder = undefined
    this.serve()
  }

  /**
   * Goes to a step, in either direction, and throws away what was gathered; below 0: holds everybody up until a step is set. Waits for a run
   * that uses the set.
   */
  setStep(step: number, signal?: AbortSignal): Promise<void> {
    return this.wait(signal, (done) => () => {
      if (this.holder !== undefined) return false
      this.goOn(step)
      done()
      return true
    })
  }

  /** How many contributions make a set from now on. @throws RunError for less than 1. */
  setCount(count: number): void {
    if (count < 1) throw new RunError(`a set needs at least 1 contribution, not ${count}`)
    this.needed = count
    this.serve()
  }

  /** How many contributions make a set. */
  get count(): number {
    return this.needed
  }

  private isAt(step: number): boolean {
    return step >= 0 && step === this.step
  }

  private mean(): NDArray[] {
    return this.sums.flatMap((sum) => sum.mean(this.weight))
  }

  private goOn(step: number): void {
    this.step = step
    this.sets++
    this.holder = undefined
    this.weight = this.gathered = 0
    this.contributors.clear()
    this.sums.forEach((sum) => sum.clear())
  }

  private demandHolder(run: Run): void {
    if (this.holder !== run)
      throw new RunError(`accumulator '${this.name}': this run has no set; lease one first`)
  }

  /** The arrays of each gradient. */
  private divided(arrays: readonly NDArray[]): NDArray[][] {
    let from = 0
    return this.sums.map(({ width }) => arrays.slice(from, (from += width)))
  }

  private wait<T>(
    signal: AbortSignal | undefined,
    make: (done: (value: T) => void) => Waiter['attempt'],
  ): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const stop = (): void => {
      this.line.splice(this.line.indexOf(waiter), 1)
      waiter.fail(signal!.reason)
    }
    const settled = (): void => signal?.removeEventListener('abort', stop)
    const waiter: Waiter = {
      attempt: make((value) => {
        settled()
        resolve(value)
      }),
      fail: reject,
    }
    signal?.addEventListener('abort', stop, { once: true })
    this.line.push(waiter)
    this.serve()
    return promise
  }

  /** Serves those in line, in order, for as long as that changes anything. */
  private serve(): void {
    for (;;) {
      const at = this.line.findIndex((waiter) => waiter.attempt())
      if (at < 0) return
      this.line.splice(at, 1)
    }
  }
}
