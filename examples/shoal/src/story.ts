// What a person reads while the main job goes on: few lines, each with the time since the beginning.
import { type JobEvent, type Json, measured, rate } from 'shoal/client'

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
  readonly #begun = new Set<string>()
  #saidAt = Number.NEGATIVE_INFINITY

  /** The line of an event; undefined where a watcher would learn little. */
  of(event: JobEvent): string | undefined {
    switch (event.kind) {
      case 'taskStarted':
        return this.#begins(event)
      case 'taskEnded':
        return event.reason === '' ? undefined : `${event.task} on ${event.node} has ended: ${event.reason}`
      case 'metrics':
        return event.trial === undefined ? this.#steps(event) : undefined
      case 'trialEnded':
        return this.#trialEnded(event)
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

  #begins({ task, node }: Extract<JobEvent, { kind: 'taskStarted' }>): string {
    const isAgain = this.#begun.has(task)
    this.#begun.add(task)
    return `${task} begins ${isAgain ? 'again ' : ''}on ${node}`
  }

  #trialEnded({ trial, node, state, value, params }: Extract<JobEvent, { kind: 'trialEnded' }>): string {
    const loss = value === undefined ? '' : ` loss ${measured(value)}`
    return `trial ${trial} on ${node} ${ends[state]}${loss}  (${sayNumbers(params).join(', ')})`
  }

  /** All tasks are at the same step: one line is enough for all. */
  #steps({ at, step, values }: Extract<JobEvent, { kind: 'metrics' }>): string | undefined {
    if (at - this.#saidAt < stepsEveryMs) return undefined
    this.#saidAt = at
    const { stepsPerSecond, ...others } = values
    const pace = stepsPerSecond === undefined ? [] : [rate(stepsPerSecond)]
    return [`step ${step}`, ...sayNumbers(others), ...pace].join('  ')
  }
}

const ends = { complete: 'came to', pruned: 'was stopped at', failed: 'failed' } as const

/** `learningRate 0.00123`, `width 64`. */
const sayNumbers = (values: Readonly<Record<string, Json>>): readonly string[] =>
  Object.entries(values).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? measured(value) : JSON.stringify(value)}`,
  )
