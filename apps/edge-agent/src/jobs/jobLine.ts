// The way from a node to the leader of a job, whoever that is at the moment: what cannot be said now is said to the next one.
import { asError, Backoff, type Clock, DeadlineError, type Method, pause } from '@shoal/distributed/peers'
import type { JobEvent } from '../history/event.ts'
import type { DocumentWrite, Versioned } from '../task/services.ts'
import { isNotLeader } from './notLeader.ts'
import type { Json } from './json.ts'
import { readEntry, report, writeEntry } from './methods.ts'
import type { Nodes } from './ports.ts'

/** What the way leads over. */
export interface LineMeans {
  readonly nodes: Nodes
  readonly leaderOf: (jobId: string) => string | undefined
  readonly clock: Clock
  readonly log: (line: string) => void
}

const callMs = 10_000
/** Events are sent together, so many milliseconds after the first. */
const togetherMs = 200
/** Events that wait for a leader; of more the oldest are dropped, and it is said. */
const mostWaiting = 20_000
const mostTogether = 1000
/** For so long a node tries to tell a leader that a task is over. */
const finishMs = 120_000

/** To the leader of one job. */
export class JobLine {
  readonly #means: LineMeans & { readonly jobId: string }
  readonly #over = new AbortController()
  readonly #waiting: JobEvent[] = []
  #dropped = 0
  #sending: Promise<void> | undefined

  constructor(means: LineMeans & { readonly jobId: string }) {
    this.#means = means
  }

  /** Reads a document of this job or another. */
  async read(job: string, key: string, signal: AbortSignal): Promise<Versioned> {
    const { version, value } = await this.#ask(job, readEntry, { job, key }, signal)
    return { version, value: value as Json }
  }

  /** Writes a document of this job. */
  async write({ key, ifVersion, value }: DocumentWrite, signal: AbortSignal): Promise<number | undefined> {
    const job = this.#means.jobId
    const request = { job, key, ifVersion, value: value as never }
    return (await this.#ask(job, writeEntry, request, signal)).version
  }

  /** Tells an event, soon. */
  tell(event: JobEvent): void {
    this.#waiting.push(event)
    if (this.#waiting.length > mostWaiting) {
      this.#waiting.shift()
      this.#dropped++
    }
    this.#sending ??= this.#send()
  }

  /** Tells what waits, and then the last word. Gives up after two minutes without a leader. */
  async finish<Q, A>(method: Method<Q, A>, request: Q): Promise<void> {
    const giveUp = new AbortController()
    const disarm = this.#means.clock.after(finishMs, () =>
      giveUp.abort(new DeadlineError(`nobody has led job ${this.#means.jobId} for two minutes`)),
    )
    const signal = AbortSignal.any([giveUp.signal, this.#over.signal])
    try {
      await Promise.race([this.#sending, rejection(signal)])
      await this.#ask(this.#means.jobId, method, request, signal)
    } catch (error) {
      this.#means.log(
        `job ${this.#means.jobId}: the end of a task could not be told: ${asError(error).message}`,
      )
    } finally {
      disarm()
      this.close()
    }
  }

  /** Says nothing more. */
  close(): void {
    this.#over.abort(new Error('the task is over'))
  }

  async #send(): Promise<void> {
    const { clock, jobId: job } = this.#means
    try {
      await pause(togetherMs, clock, this.#over.signal)
      while (this.#waiting.length > 0) {
        const events = this.#waiting.splice(0, mostTogether)
        await this.#ask(job, report, { job, events }, this.#over.signal)
        if (this.#dropped > 0) {
          this.#means.log(`job ${job}: ${this.#dropped} events were dropped while nobody led it`)
          this.#dropped = 0
        }
      }
    } catch (error) {
      // Once it is closed nobody is there to hear it.
      if (!this.#over.signal.aborted)
        this.#means.log(`job ${job}: what its tasks said was not taken: ${asError(error).message}`)
    } finally {
      this.#sending = undefined
    }
  }

  /** Asks whoever leads, until somebody answers. @throws what the leader throws; the reason of the signal. */
  async #ask<Q, A>(job: string, method: Method<Q, A>, request: Q, signal: AbortSignal): Promise<A> {
    const { nodes, leaderOf, clock } = this.#means
    const backoff = new Backoff({ random: Math.random, firstMs: 50, mostMs: 1000 })
    for (;;) {
      signal.throwIfAborted()
      const leader = leaderOf(job)
      if (leader !== undefined) {
        try {
          return (await nodes.call(leader, method, request, { deadlineMs: callMs, signal })).says
        } catch (error) {
          signal.throwIfAborted()
          if (!isNotLeader(error) && !passes(error)) throw error
        }
      }
      await pause(backoff.next(), clock, signal)
    }
  }
}

/** May it be answered when it is asked again? */
const passes = (error: unknown): boolean =>
  ['ConnectionLostError', 'ConnectError', 'DeadlineError', 'ClosedError'].includes(asError(error).name)

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(asError(signal.reason))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}
