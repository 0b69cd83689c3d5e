// A job whose events a test tells one after the other, as an agent answers for it.
import type { Handler } from '@shoal/distributed/peers'
import { type JobEvent, jobMethods, type JobState, type JobView } from '@shoal/edge-agent/client'
import { job, spec } from './events.ts'
import { answering } from './testAgent.ts'

/** A job that goes on as a test says. */
export class ScriptedJob {
  readonly #events: JobEvent[]
  #told = Promise.withResolvers<void>()
  /** The places from which events were asked for. */
  readonly asked: number[] = []
  /** How long each question would have waited, in milliseconds. */
  readonly waits: number[] = []
  /** What it is, whatever events say. */
  is: JobState | undefined
  /** Why it was to be stopped, each time. */
  readonly stops: string[] = []

  constructor(...events: readonly JobEvent[]) {
    this.#events = [...events]
  }

  /** What happens next. */
  tell(...events: readonly JobEvent[]): void {
    this.#events.push(...events)
    this.#told.resolve()
    this.#told = Promise.withResolvers()
  }

  get #state(): JobState {
    return this.is ?? this.#events.findLast((event) => event.kind === 'state')?.state ?? 'queued'
  }

  get view(): JobView {
    return {
      id: job,
      spec: spec('digits'),
      state: this.#state,
      reason: '',
      submittedAt: Date.UTC(2026, 10, 19, 22),
      leader: 'pi-1',
      attempt: 0,
      tasks: [{ task: 'worker:0', node: 'pi-1', state: 'running' }],
    }
  }

  /** What its agent answers. */
  get methods(): readonly (readonly [string, Handler])[] {
    return [
      answering(jobMethods.list, () => ({ jobs: [this.view] })),
      answering(jobMethods.show, () => ({ view: this.view })),
      answering(jobMethods.stopJob, ({ reason }) => {
        this.stops.push(reason)
        return {}
      }),
      answering(jobMethods.events, async ({ from, waitMs }, _, signal) => {
        this.asked.push(from)
        this.waits.push(waitMs)
        const gone = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        if (from >= this.#events.length && waitMs > 0 && this.is === undefined)
          await Promise.race([this.#told.promise, gone])
        return { events: this.#events.slice(from), next: this.#events.length, state: this.#state }
      }),
    ]
  }
}
