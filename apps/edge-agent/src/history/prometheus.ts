// What this node does, as numbers that Prometheus reads. They say what is, and keep nothing: history is elsewhere.
import { Counter, Gauge, Registry } from 'prom-client'
import type { NodeView } from '../api/node.ts'
import type { JobState } from '../jobs/spec.ts'
import type { Heat } from '../machine/inventory.ts'
import type { JobEvent } from './event.ts'

/** How an agent does at a moment. */
export interface AgentState {
  /** How many nodes it knows in each state; what is left out is 0, here and below. */
  readonly nodes: Readonly<Partial<Record<NodeView['state'], number>>>
  readonly jobs: Readonly<Partial<Record<JobState, number>>>
  /** That run on this node. */
  readonly tasks: number
  readonly blobs: { readonly count: number; readonly bytes: number }
  /** Bytes of blobs that came from other nodes since it began: never falls. */
  readonly fetchedBytes: number
  /** Undefined where the system does not tell. */
  readonly heat?: Heat | undefined
  /** 0 to 1: the part of all cores that is busy. */
  readonly load: number
}

/** How many time series there may be, whatever programs report. */
export interface MetricBounds {
  /** Jobs whose numbers are told at once; the one that was silent for the longest time gives way to another. Default 32. */
  readonly mostJobs?: number
  /** Numbers of a job; those with other names are left out. Default 16. */
  readonly mostMetrics?: number
}

const nodeStates = [
  'self',
  'trusted',
  'reachable',
  'seen',
  'lost',
] as const satisfies readonly NodeView['state'][]
const jobStates = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'stopped',
] as const satisfies readonly JobState[]

/** The numbers of one agent, in a registry of their own. */
export class AgentMetrics {
  readonly #registry = new Registry()
  readonly #bounds: Required<MetricBounds>
  readonly #nodes = this.#gauge('shoal_nodes', 'Nodes that this one knows, by state.', ['state'])
  readonly #jobs = this.#gauge('shoal_jobs', 'Jobs that the cluster remembers, by state.', ['state'])
  readonly #tasks = this.#gauge('shoal_tasks_running', 'Tasks that run on this node.')
  readonly #blobs = this.#gauge('shoal_blobs', 'Blobs on this node.')
  readonly #blobBytes = this.#gauge('shoal_blob_bytes', 'Bytes of all blobs on this node.')
  readonly #fetched = new Counter({
    name: 'shoal_blob_fetched_bytes_total',
    help: 'Bytes of blobs that came from other nodes.',
    registers: [this.#registry],
  })
  readonly #celsius = this.#gauge(
    'shoal_temperature_celsius',
    'Temperature of this node, where the system tells.',
    ['sensor'],
  )
  readonly #throttled = this.#gauge(
    'shoal_throttled',
    '1 while heat slows this node, where the system tells.',
    ['sensor'],
  )
  readonly #load = this.#gauge('shoal_load_ratio', 'The part of all cores that is busy.')
  readonly #memory = this.#gauge('process_resident_memory_bytes', 'Resident memory size in bytes.')
  readonly #step = this.#gauge('shoal_job_step', 'The step that a running job was at last.', ['job'])
  readonly #value = this.#gauge('shoal_job_metric', 'What a running job has measured last.', [
    'job',
    'metric',
  ])
  /** The numbers of each job that are told, the job that was heard of last at the end. */
  readonly #measured = new Map<string, Set<string>>()

  constructor({ mostJobs = 32, mostMetrics = 16 }: MetricBounds = {}) {
    this.#bounds = { mostJobs, mostMetrics }
  }

  /** What `Content-Type` says of the text. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** States how the agent does now. */
  update({ nodes, jobs, tasks, blobs, fetchedBytes, heat, load }: AgentState): void {
    for (const state of nodeStates) this.#nodes.set({ state }, nodes[state] ?? 0)
    for (const state of jobStates) this.#jobs.set({ state }, jobs[state] ?? 0)
    this.#tasks.set(tasks)
    this.#blobs.set(blobs.count)
    this.#blobBytes.set(blobs.bytes)
    this.#fetched.reset()
    this.#fetched.inc(fetchedBytes)
    this.#load.set(load)
    // Where there is no sensor there is no number: a 0 would be a cold node.
    this.#celsius.reset()
    this.#throttled.reset()
    if (!heat) return
    this.#celsius.set({ sensor: 'system' }, heat.celsius)
    this.#throttled.set({ sensor: 'system' }, heat.throttled ? 1 : 0)
  }

  /** Takes what happened to a job: what it measured is told until it ends. What trials measured is not: they are many at once. */
  happened(event: JobEvent): void {
    if (event.kind === 'state' && event.state !== 'running') this.#forget(event.job)
    if (event.kind !== 'metrics' || event.trial !== undefined) return
    const { job, step, values } = event
    const known = this.#measured.get(job) ?? new Set()
    this.#measured.delete(job)
    this.#measured.set(job, known)
    if (this.#measured.size > this.#bounds.mostJobs) this.#forget(this.#measured.keys().next().value!)
    this.#step.set({ job }, step)
    for (const [metric, value] of Object.entries(values)) {
      if (!known.has(metric) && known.size >= this.#bounds.mostMetrics) continue
      known.add(metric)
      this.#value.set({ job, metric }, value)
    }
  }

  /** Everything, in the text format of Prometheus. */
  text(): Promise<string> {
    this.#memory.set(process.memoryUsage.rss())
    return this.#registry.metrics()
  }

  #forget(job: string): void {
    for (const metric of this.#measured.get(job) ?? []) this.#value.remove({ job, metric })
    if (this.#measured.delete(job)) this.#step.remove({ job })
  }

  #gauge<Label extends string = never>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] })
  }
}
