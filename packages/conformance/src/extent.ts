// How much of a device's suite runs: all of it, or, on an engine beside the one that runs all, what tells whether it answers alike.
import { inject } from 'vitest'

/** `evens` and `odds`: every other case, in one of its dtypes, which go round, and a fourth of what is random. Two engines that share make a sample of all. */
export type Extent = 'whole' | 'evens' | 'odds'

declare module 'vitest' {
  interface ProvidedContext {
    readonly extent?: Extent
  }
}

/** As vitest's configuration provides it: `provide: { extent: 'evens' }`. Default: all. */
export const extent = (): Extent => inject('extent') ?? 'whole'

/** The dtypes of these in which the case of a number is to be run. */
export function sampled<T>(i: number, dtypes: readonly T[], of: Extent = extent()): readonly T[] {
  if (of === 'whole') return dtypes
  const isPart = i % 2 === (of === 'evens' ? 0 : 1)
  return isPart && dtypes.length > 0 ? [dtypes[Math.floor(i / 2) % dtypes.length]!] : []
}
