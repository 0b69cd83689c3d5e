// How much of a device's suite runs: all of it, or, on an engine beside the one that runs all, what tells whether it answers alike.
import { inject } from 'vitest'

/** `sample`: each case in one of its dtypes, which go round, and a fourth of what is random. */
export type Extent = 'whole' | 'sample'

declare module 'vitest' {
  interface ProvidedContext {
    readonly extent?: Extent
  }
}

/** As vitest's configuration provides it: `provide: { extent: 'sample' }`. Default: all. */
export const extent = (): Extent => inject('extent') ?? 'whole'
