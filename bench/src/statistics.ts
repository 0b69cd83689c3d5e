// Medians with their quartiles, and ratios that are taken of pairs measured one after the other.

/** A median and its quartiles. */
export interface Quartiles {
  readonly median: number
  readonly lower: number
  readonly upper: number
}

/** The median and the quartiles of some measurements. @throws RangeError when there are none. */
export function quartiles(samples: readonly number[]): Quartiles {
  if (samples.length === 0) throw new RangeError('quartiles of nothing')
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) }
}

/** What one side took in each round; undefined where it sat a round out. */
export type Samples = readonly (number | undefined)[]

/** Quartiles of what was measured. */
export const summary = (samples: Samples): Quartiles => quartiles(samples.filter((ms) => ms !== undefined))

/** How many times as long `a` takes as `b`, of the rounds in which both were measured. undefined when there is none. */
export function ratio(a: Samples, b: Samples): Quartiles | undefined {
  const pairs = a.flatMap((ms, round) => {
    const other = b[round]
    return ms === undefined || other === undefined ? [] : [ms / other]
  })
  return pairs.length === 0 ? undefined : quartiles(pairs)
}
