// How things are timed here: warmed up, several times, told as the median with its quartiles.

/** Milliseconds of several runs. */
export interface Timing {
  readonly median: number
  readonly lower: number
  readonly upper: number
}

/** Times `work` `runs` times after `warmups` runs that do not count. */
export function time(
  work: () => void,
  { runs = 15, warmups = 3 }: { readonly runs?: number; readonly warmups?: number } = {},
): Timing {
  for (let i = 0; i < warmups; i++) work()
  return quartiles(Array.from({ length: runs }, () => once(work)))
}

/** Milliseconds of one run. */
export function once(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

/** The median and the quartiles of some measurements. */
export function quartiles(samples: readonly number[]): Timing {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) }
}

/** `12.3 (11.9 to 13.0)` */
export const format = ({ median, lower, upper }: Timing, digits = 2): string =>
  `${median.toFixed(digits)} (${lower.toFixed(digits)} to ${upper.toFixed(digits)})`
