// A run, told again by its log alone: one pass over the events, in memory that does not grow with the length of the run.
import type { JobState } from '../jobs/spec.ts'
import { JournalError } from './errors.ts'
import type { JobEvent } from './event.ts'
import type { HistoryEntry } from './format.ts'
import { GrowingSeries, type MetricSeries } from './series.ts'

/** How much is kept of what there may be a great deal of. */
export interface ReplayBounds {
  /** The most points of a series, an even number. Default 400. */
  readonly mostPoints?: number
  /** The most series; of those that come later the measurements are counted only. Default 2000. */
  readonly mostSeries?: number
  /** The most failures; those that come later are counted only. Default 1000. */
  readonly mostFailures?: number
}

/** A task as it ran once, on one node. */
export interface TaskRun {
  readonly task: string
  readonly attempt: number
  readonly node: string
  /** Milliseconds since 1970, as all moments here. */
  readonly startedAt: number
  /** Undefined where the log does not tell. */
  readonly endedAt: number | undefined
  /** Why it ended; empty where it did what it was to do, or has not ended. */
  readonly reason: string
  readonly sent: number
  readonly received: number
}

/** A trial that has ended. */
export interface TrialRow {
  readonly trial: number
  readonly node: string
  readonly state: Extract<JobEvent, { kind: 'trialEnded' }>['state']
  readonly params: Extract<JobEvent, { kind: 'trialEnded' }>['params']
  readonly value: number | undefined
  readonly endedAt: number
}

/** What a node did for a job. */
export interface NodeShare {
  readonly node: string
  /** How often a task was begun there. */
  readonly tasks: number
  /** Bytes that its tasks sent to others. */
  readonly sent: number
  readonly received: number
  readonly trials: number
  /** How often it was not heard of any more. */
  readonly lost: number
}

/** Something that went wrong. */
export interface Failure {
  readonly at: number
  /** For people: 'worker:1 on pi2: out of memory'. */
  readonly what: string
}

/** A run, all of it. */
export interface JobSummary {
  readonly job: string
  readonly name: string
  readonly kind: Extract<JobEvent, { kind: 'submitted' }>['spec']['kind']
  readonly state: JobState
  /** Why it is in that state, where that is no matter of course. */
  readonly reason: string
  readonly submittedAt: number
  /** When it first ran; undefined where it never did. */
  readonly startedAt: number | undefined
  /** When it ended; undefined where the log does not tell. */
  readonly endedAt: number | undefined
  /** From its being submitted to its end, or to the last that the log tells. */
  readonly durationMs: number
  /** How often it was begun. */
  readonly attempts: number
  readonly leaders: readonly string[]
  readonly tasks: readonly TaskRun[]
  readonly nodes: readonly NodeShare[]
  readonly series: readonly MetricSeries[]
  /** Measurements of series that there was no room for. */
  readonly leftOut: number
  /** By number; each once. */
  readonly trials: readonly TrialRow[]
  readonly failures: readonly Failure[]
  /** All that went wrong, also what `failures` had no room for. */
  readonly failureCount: number
  /** Lines that a task wrote. */
  readonly logLines: number
  /** Events of the log. */
  readonly events: number
  /** Lines of it that could not be read: damaged, or of a kind that only newer versions know. */
  readonly unreadable: number
}

type Changing<T> = { -readonly [key in keyof T]: T[key] }
type Of<Kind extends JobEvent['kind']> = Extract<JobEvent, { kind: Kind }>
interface NamedSeries extends Pick<MetricSeries, 'metric' | 'task' | 'trial'> {
  readonly grown: GrowingSeries
}

const over: ReadonlySet<JobState> = new Set(['succeeded', 'failed', 'stopped'])

/** Takes the events of a run in turn, and can tell of it at any moment. */
export class Replay {
  readonly #bounds: Required<ReplayBounds>
  #submitted: Of<'submitted'> | undefined
  #state: JobState = 'queued'
  #reason = ''
  #startedAt: number | undefined
  #endedAt: number | undefined
  #lastAt = 0
  #attempts = 0
  readonly #leaders: string[] = []
  readonly #tasks = new Map<string, Changing<TaskRun>>()
  readonly #nodes = new Map<string, Changing<NodeShare>>()
  readonly #series = new Map<string, NamedSeries>()
  #leftOut = 0
  readonly #trials = new Map<number, TrialRow>()
  readonly #failures: Failure[] = []
  #failureCount = 0
  #logLines = 0
  #events = 0
  #unreadable = 0

  constructor({ mostPoints = 400, mostSeries = 2000, mostFailures = 1000 }: ReplayBounds = {}) {
    this.#bounds = { mostPoints, mostSeries, mostFailures }
  }

  /** Takes the next event, or undefined for a line that could not be read. */
  add(event: HistoryEntry): void {
    if (!event) {
      this.#unreadable++
      return
    }
    this.#events++
    this.#lastAt = Math.max(this.#lastAt, event.at)
    switch (event.kind) {
      case 'submitted':
        this.#submitted ??= event
        return
      case 'state':
        return this.#stateIs(event)
      case 'led':
        if (this.#leaders.at(-1) !== event.node) this.#leaders.push(event.node)
        return
      case 'taskStarted':
        return this.#taskStarted(event)
      case 'taskEnded':
        return this.#taskEnded(event)
      case 'metrics':
        return this.#measured(event)
      case 'log':
        this.#logLines++
        return
      case 'trialEnded':
        return this.#trialEnded(event)
      case 'traffic':
        return this.#moved(event)
      case 'node':
        if (event.state === 'back') return
        this.#node(event.node).lost++
        return this.#failed(event.at, `${event.node} was lost`)
      default:
        event satisfies never
    }
  }

  /** The run, as far as it was told. @throws JournalError where no event told of the job's being submitted. */
  get summary(): JobSummary {
    const submitted = this.#submitted
    if (!submitted)
      throw new JournalError(
        `the history does not tell what the job was: its first event is missing or damaged, ${this.#events} others are there`,
      )
    const byTask = (a: TaskRun, b: TaskRun): number =>
      a.attempt - b.attempt || a.task.localeCompare(b.task, 'en', { numeric: true })
    return {
      job: submitted.job,
      name: submitted.spec.name,
      kind: submitted.spec.kind,
      state: this.#state,
      reason: this.#reason,
      submittedAt: submitted.at,
      startedAt: this.#startedAt,
      endedAt: this.#endedAt,
      // Clocks of two nodes may differ by more than a short job took.
      durationMs: Math.max(0, (this.#endedAt ?? this.#lastAt) - submitted.at),
      attempts: this.#attempts,
      leaders: [...this.#leaders],
      tasks: [...this.#tasks.values()].toSorted(byTask),
      nodes: [...this.#nodes.values()].toSorted((a, b) => (a.node < b.node ? -1 : 1)),
      series: [...this.#series.values()].map(({ grown, ...named }) => ({
        ...named,
        points: [...grown.points],
        last: grown.last,
      })),
      leftOut: this.#leftOut,
      trials: [...this.#trials.values()].toSorted((a, b) => a.trial - b.trial),
      failures: [...this.#failures],
      failureCount: this.#failureCount,
      logLines: this.#logLines,
      events: this.#events,
      unreadable: this.#unreadable,
    }
  }

  #stateIs({ state, attempt, reason, at }: Of<'state'>): void {
    this.#state = state
    this.#reason = reason
    if (state === 'running') {
      this.#startedAt ??= at
      this.#attempts = Math.max(this.#attempts, attempt + 1)
    }
    if (over.has(state)) this.#endedAt = at
    if (state === 'failed') this.#failed(at, `the job failed: ${reason}`)
  }

  #taskStarted({ task, attempt, node, at }: Of<'taskStarted'>): void {
    this.#attempts = Math.max(this.#attempts, attempt + 1)
    this.#node(node).tasks++
    this.#tasks.set(`${task} ${attempt}`, {
      task,
      attempt,
      node,
      startedAt: at,
      endedAt: undefined,
      reason: '',
      sent: 0,
      received: 0,
    })
  }

  #taskEnded({ task, attempt, node, at, reason }: Of<'taskEnded'>): void {
    const run = this.#tasks.get(`${task} ${attempt}`)
    if (run) {
      run.endedAt = at
      run.reason = reason
    }
    if (reason !== '') this.#failed(at, `${task} on ${node}: ${reason}`)
  }

  #measured({ task, trial, attempt, step, values }: Of<'metrics'>): void {
    for (const [metric, value] of Object.entries(values)) {
      const key = JSON.stringify([metric, trial === undefined ? task : trial])
      let series = this.#series.get(key)
      if (!series) {
        if (this.#series.size >= this.#bounds.mostSeries) {
          this.#leftOut++
          continue
        }
        const grown = new GrowingSeries(this.#bounds.mostPoints)
        series = { metric, task: trial === undefined ? task : undefined, trial, grown }
        this.#series.set(key, series)
      }
      series.grown.add(`${task} ${attempt}`, step, value)
    }
  }

  #trialEnded({ trial, node, state, params, value, at }: Of<'trialEnded'>): void {
    if (!this.#trials.has(trial)) this.#node(node).trials++
    this.#trials.set(trial, { trial, node, state, params, value, endedAt: at })
    if (state === 'failed') this.#failed(at, `trial ${trial} on ${node} failed`)
  }

  #moved({ task, attempt, node, sent, received }: Of<'traffic'>): void {
    const share = this.#node(node)
    share.sent += sent
    share.received += received
    const run = this.#tasks.get(`${task} ${attempt}`)
    if (!run) return
    run.sent += sent
    run.received += received
  }

  #node(node: string): Changing<NodeShare> {
    let share = this.#nodes.get(node)
    if (!share) {
      share = { node, tasks: 0, sent: 0, received: 0, trials: 0, lost: 0 }
      this.#nodes.set(node, share)
    }
    return share
  }

  #failed(at: number, what: string): void {
    this.#failureCount++
    if (this.#failures.length < this.#bounds.mostFailures) this.#failures.push({ at, what })
  }
}

/**
 * Tells of a run by its events: those of a history (`readHistory`), or any others.
 * @throws JournalError where no event told of the job's being submitted, and what reading throws.
 */
export async function summarise(
  entries: AsyncIterable<HistoryEntry> | Iterable<HistoryEntry>,
  bounds: ReplayBounds = {},
): Promise<JobSummary> {
  const replay = new Replay(bounds)
  for await (const entry of entries) replay.add(entry)
  return replay.summary
}
