// A graph that is registered at the workers that run its parts.
import type { Executable, NDArray, RunState } from '@shoal/core'
import { asError } from '../errors.ts'
import { relative } from '../protocol/events.ts'
import type { GraphParts, WorkerClient } from './workerClient.ts'

/** What one worker runs of a graph. */
export interface Share {
  readonly worker: WorkerClient
  readonly parts: GraphParts['parts']
  /** Which feeds of the graph the worker takes, and which of its fetches it makes. */
  readonly feeds: readonly number[]
  readonly fetches: readonly number[]
}

/** What a step has to know of the run that it is. */
export interface StepState {
  readonly context: Pick<RunState['context'], 'signal' | 'seed'>
  readonly trace: RunState['trace']
}

/** Runs a graph as steps: one message to each worker and one answer, tensors between workers aside. */
export class ClusterExecutable implements Executable {
  /** Its programs are elsewhere. */
  readonly programs = []
  private readonly id: number
  private readonly shares: readonly Share[]
  private readonly fetchCount: number
  private readonly session: { readonly nextStep: () => number; readonly stepDeadlineMs: number }

  constructor(
    id: number,
    shares: readonly Share[],
    fetchCount: number,
    session: ClusterExecutable['session'],
  ) {
    this.id = id
    this.shares = shares
    this.fetchCount = fetchCount
    this.session = session
  }

  /** Workers check when they run. */
  check(): void {}

  /** Runs all parts at once. The first failure ends the step everywhere. */
  async run({ context, trace }: StepState, feeds: readonly NDArray[]): Promise<NDArray[]> {
    const step = this.session.nextStep()
    const deadlineMs = this.session.stepDeadlineMs
    const ending = new AbortController()
    const outside = context.signal
    const withdrawn = (): void => ending.abort(outside?.reason)
    if (outside?.aborted) withdrawn()
    outside?.addEventListener('abort', withdrawn, { once: true })
    const results = new Array<NDArray>(this.fetchCount)
    let failure: { readonly reason: unknown } | undefined
    const one = async (share: Share): Promise<void> => {
      try {
        const { fetches, events } = await share.worker.run(
          {
            graph: this.id,
            step,
            seed: context.seed,
            trace: trace !== undefined,
            feeds: share.feeds.map((i) => feeds[i]!),
          },
          { deadlineMs, signal: ending.signal },
        )
        share.fetches.forEach((to, i) => (results[to] = fetches[i]!))
        for (const event of relative(events)) trace?.add(event)
      } catch (error) {
        failure ??= { reason: error }
        ending.abort(error)
      }
    }
    await Promise.all(this.shares.map(one))
    outside?.removeEventListener('abort', withdrawn)
    if (!failure) return results
    const reason = outside?.aborted ? outside.reason : failure.reason
    for (const { worker } of this.shares) worker.cleanup(step, `the step failed: ${asError(reason).message}`)
    throw reason
  }

  free(): void {
    for (const { worker } of this.shares) worker.deregister(this.id)
  }
}
