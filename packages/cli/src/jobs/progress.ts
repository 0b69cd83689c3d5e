// Where a job stands, put together from what has happened: tasks, numbers, trials. The same events always give the same picture.
import type { JobEvent, JobState, Json } from '@shoal/edge-agent/client'
import { RateOverTime } from './rateOverTime.ts'
import { Series } from './series.ts'

/** A task as far as events tell. */
export interface TaskProgress {
  readonly task: string
  node: string
  /** 'lost' when its node is not heard of. */
  state: 'running' | 'done' | 'failed' | 'lost'
  /** Why it ended; empty where it did what it was to do. */
  reason: string
  step: number | undefined
  /** The trial that it is at. */
  trial: number | undefined
  /** What it measured last. */
  readonly values: Record<string, number>
  readonly steps: RateOverTime
  readonly bytes: RateOverTime
}

/** A trial of a search. */
export interface TrialProgress {
  readonly trial: number
  node: string
  state: 'running' | 'complete' | 'pruned' | 'failed'
  step: number | undefined
  /** What the trial is judged by, or what it measured last while it runs. */
  value: number | undefined
  params: Readonly<Record<string, Json>>
}

type Of<Kind extends JobEvent['kind']> = Extract<JobEvent, { kind: Kind }>

/** Where a job stands. */
export class JobProgress {
  job = ''
  name = ''
  kind = ''
  state: JobState = 'queued'
  reason = ''
  leader = ''
  attempt = 0
  submittedAt: number | undefined
  endedAt: number | undefined
  /** When the last event was. */
  at = 0
  readonly tasks = new Map<string, TaskProgress>()
  readonly trials = new Map<number, TrialProgress>()
  /** By metric; those of trials are not among them. */
  readonly series = new Map<string, Series>()
  /** Bytes that tasks of former attempts, and ended ones, have moved. */
  #moved = 0

  /** Takes in what has happened. */
  add(event: JobEvent): void {
    this.job = event.job
    this.at = event.at
    switch (event.kind) {
      case 'submitted':
        this.name = event.spec.name
        this.kind = event.spec.kind
        this.submittedAt = event.at
        return
      case 'state':
        return this.#state(event)
      case 'led':
        this.leader = event.node
        return
      case 'taskStarted':
        return this.#taskStarted(event)
      case 'taskEnded':
        return this.#taskEnded(event)
      case 'metrics':
        return this.#metrics(event)
      case 'trialEnded':
        return this.#trialEnded(event)
      case 'traffic':
        this.tasks.get(event.task)?.bytes.add(event.at, event.sent + event.received)
        return
      case 'node':
        for (const task of this.tasks.values())
          if (task.node === event.node && task.state === (event.state === 'lost' ? 'running' : 'lost'))
            task.state = event.state === 'lost' ? 'lost' : 'running'
        return
      case 'log':
        return
    }
  }

  /** The metric that people look at: the loss where there is one, otherwise what was measured first. */
  get mainMetric(): string | undefined {
    const names = [...this.series.keys()].filter((name) => !isRate(name))
    return names.find((name) => name === 'loss') ?? names.find((name) => name.endsWith('loss')) ?? names[0]
  }

  /** The step that the foremost task is at. */
  get step(): number | undefined {
    const steps = [...this.tasks.values()].flatMap(({ step }) => step ?? [])
    return steps.length === 0 ? undefined : Math.max(...steps)
  }

  /** Bytes that tasks have told of, of all attempts. */
  get bytesMoved(): number {
    return [...this.tasks.values()].reduce((sum, { bytes }) => sum + (bytes.last ?? 0), this.#moved)
  }

  #state({ state, reason, at }: Of<'state'>): void {
    this.state = state
    this.reason = reason
    if (state === 'succeeded' || state === 'failed' || state === 'stopped') this.endedAt = at
  }

  #taskStarted({ task, node, attempt }: Of<'taskStarted'>): void {
    this.attempt = Math.max(this.attempt, attempt)
    this.#moved += this.tasks.get(task)?.bytes.last ?? 0
    this.tasks.set(task, {
      task,
      node,
      state: 'running',
      reason: '',
      step: undefined,
      trial: undefined,
      values: {},
      steps: new RateOverTime(),
      bytes: new RateOverTime(),
    })
  }

  #taskEnded({ task: name, reason }: Of<'taskEnded'>): void {
    const task = this.tasks.get(name)
    if (!task) return
    task.state = reason === '' ? 'done' : 'failed'
    task.reason = reason
  }

  #metrics({ task: name, node, step, trial: number, values, at }: Of<'metrics'>): void {
    const task = this.tasks.get(name)
    if (task) {
      task.step = step
      task.trial = number
      Object.assign(task.values, values)
      if (number === undefined) task.steps.add(at, step)
    }
    if (number === undefined) {
      for (const [metric, value] of Object.entries(values)) {
        const series = this.series.get(metric) ?? new Series()
        this.series.set(metric, series)
        series.add(step, value)
      }
      return
    }
    const trial = this.#trial(number, node)
    if (trial.state !== 'running') return
    trial.step = step
    trial.node = node
    trial.value = values['loss'] ?? Object.values(values)[0] ?? trial.value
  }

  #trialEnded({ trial: number, node, state, params, value }: Of<'trialEnded'>): void {
    const trial = this.#trial(number, node)
    Object.assign(trial, { node, state, params, value: value ?? trial.value })
  }

  #trial(number: number, node: string): TrialProgress {
    const known = this.trials.get(number)
    if (known) return known
    const trial: TrialProgress = {
      trial: number,
      node,
      state: 'running',
      step: undefined,
      value: undefined,
      params: {},
    }
    this.trials.set(number, trial)
    return trial
  }
}

/** Is this a measure of speed, which has a column of its own? */
export const isRate = (metric: string): boolean => /persecond$/i.test(metric)
