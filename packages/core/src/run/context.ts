// What an op that runs on the host may use besides its inputs.
import type { AnyResource } from '../resource.ts'

/** Given to the `run` of host ops. */
export interface RunContext {
  /** Aborted when the run is cancelled or the session is closed; every wait must end with it. */
  readonly signal: AbortSignal | undefined
  /** Counts the runs of this session. */
  readonly step: number
  /** The session's seed. */
  readonly seed: number
  /** The state that this session keeps for a resource; `create` makes it on first use. */
  state<T extends object>(resource: AnyResource, create: () => T): T
  /** Has `release` called once when this run ends, however it ends: done, failed or aborted. */
  onEnd(release: () => void): void
  /** Writes one line where the session's owner wants messages to go. */
  log(line: string): void
}
