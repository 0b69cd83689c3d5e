// What a person reads while the main job goes on: few lines, each with the time since the beginning.
import { duration, measured, type JobEvent } from 'shoal/client'

/** Says lines. */
export class Story {
  readonly #print: (line: string) => void
  readonly #now: () => number
  readonly #beganAt: number

  /** @param now milliseconds, of any beginning */
  constructor(print: (line: string) => void, now: () => number) {
    this.#print = print
    this.#now = now
    this.#beganAt = now()
  }

  /** Begins a part. */
  heading(text: string): void {
    this.#print(`\n${text}`)
  }

  /** Says that something has happened now. */
  line(text: string): void {
    this.#print(`${((this.#now() - this.#beganAt) / 1000).toFixed(1).padStart(6)} s  ${text}`)
  }

  /** What does not happen at a time. */
  table(lines: readonly string[]): void {
    for (const line of lines) this.#print(`  ${line}`)
  }
}

/** Milliseconds between two lines about steps. */
const stepsEveryMs = 2000

/** What of a job's events is worth a line. */
export class JobLines {
  #saidAt = Number.NEGATIVE_INFINITY

  /** The line of an event; undefined where a watcher would learn little. */
  of(event: JobEvent): string | undefined {
    switch (event.kind) {
      case 'taskStarted':
        return `${event.task} begins on ${event.node}${event.attempt > 0 ? ', again' : ''}`
      case 'taskEnded':
        return event.reason === '' ? undefined : `${event.task} on ${event.node} has ended: ${event.reason}`
      case 'metrics':
        return event.trial === undefined ? this.#steps(event) : undefined
      case 'trialEnded':
        return `trial ${event.trial} on ${event.node} ${ends[event.state]}${event.value === undefined ? '' : ` loss ${measured(event.value)}`}  (${sayParameters(event.params)})`
      case 'log':
        return event.stream === 'stderr' ? `${event.task} ${event.line}` : undefined
      case 'state':
        return event.reason === '' ? undefined : `the job is ${event.state}: ${event.reason}`
      case 'node':
        return event.state === 'lost' ? `nothing is heard of ${event.node}` : `${event.node} is back`
      case 'submitted':
      case 'led':
      case 'traffic':
        return undefined
      default:
        throw event satisfies never
    }
  }

  /** All tasks are at the same step: one line is enough for all. */
  #steps({ at, step, values }: Extract<JobEvent, { kind: 'metrics' }>): string | undefined {
    if (at - this.#saidAt < stepsEveryMs) return undefined
    this.#saidAt = at
    return `step ${step}: ${Object.entries(values)
      .map(([name, value]) => `${name} ${measured(value)}`)
      .join(', ')}`
  }
}

const ends = { complete: 'came to', pruned: 'was stopped at', failed: 'failed at' } as const

/** `learningRate 0.00123, width 64`. */
export const sayParameters = (params: Extract<JobEvent, { kind: 'trialEnded' }>['params']): string =>
  Object.entries(params)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? measured(value) : String(value)}`)
    .join(', ')

/** How long something took: `12.1 s`. */
export const sayTime = (ms: number): string => duration(ms)
