// What one run carries through all its programs.
import type { NDArray } from '../ndarray.ts'
import type { Tensor } from '../graph/graph.ts'
import type { Pause } from './awaitable.ts'
import type { RunContext } from './context.ts'
import type { Rendezvous } from './rendezvous.ts'
import type { Trace } from './trace.ts'

/** One run of a session. */
export interface RunState {
  readonly context: RunContext
  /** Ends every wait of the run, for this reason. */
  abort(reason: unknown): void
  /** What loops call between iterations, so that a run can be aborted that never waits; absent where nothing may wait. */
  readonly pause: Pause | undefined
  /** Where the partitions of this run hand tensors to each other. */
  readonly rendezvous: Rendezvous
  /** Records what ran when, if asked for. */
  readonly trace: Trace | undefined
}

/** Host values of one execution of a program. */
export type HostValues = Map<Tensor, NDArray>
