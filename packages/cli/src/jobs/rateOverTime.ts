// How fast something that only grows has grown in the last seconds.

const windowMs = 10_000
const most = 64

/** How fast something that only grows has grown of late. */
export class RateOverTime {
  #told: { readonly at: number; readonly amount: number }[] = []

  /** The amount that was told last. */
  get last(): number | undefined {
    return this.#told.at(-1)?.amount
  }

  /** Tells how much there is, at a time in milliseconds. What has shrunk begins anew. */
  add(at: number, amount: number): void {
    if (amount < (this.last ?? 0)) this.#told = []
    this.#told.push({ at, amount })
    // The oldest that is kept is the last from before the window: what is told rarely has a rate too.
    const inside = this.#told.findIndex((entry) => entry.at > at - windowMs)
    this.#told.splice(0, Math.max(0, inside - 1, this.#told.length - most))
  }

  /** Per second; undefined until two different times were told. */
  get perSecond(): number | undefined {
    const [first, last] = [this.#told[0], this.#told.at(-1)]
    return first && last && last.at > first.at
      ? ((last.amount - first.amount) * 1000) / (last.at - first.at)
      : undefined
  }
}
