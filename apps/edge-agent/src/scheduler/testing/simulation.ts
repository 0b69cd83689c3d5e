// A cluster at work without any machine: jobs come, are scheduled, run for so many ticks, and leave; every tick is held to what must always be true.
import { deepEqual, match, ok } from 'node:assert/strict'
import type { Random } from '@shoal/tune'
import type { JobRequest, JobSpec } from '../../jobs/spec.ts'
import {
  fits,
  type Holding,
  noRoom,
  type Offer,
  offersOf,
  plus,
  roomOf,
  type SchedulableNode,
} from '../offer.ts'
import { type JobDecision, nextPlacements, type RunningJob, type WaitingJob } from '../queue.ts'
import { reserve } from '../reserve.ts'
import { groupOf, type Place } from '../task.ts'
import { yielding } from '../yielding.ts'
import { gibibyte, job, node } from './cluster.ts'

/** A job that runs, and for how long yet. */
interface AtWork extends RunningJob {
  readonly there: readonly Place[]
  readonly endsAt: number
}

/** Ticks that a job runs at most. */
export const longest = 6

/** A cluster at work. */
export class Simulation {
  readonly #random: Random
  readonly #nodes: readonly SchedulableNode[]
  #tick = 0
  #submitted = 0
  #waiting: readonly WaitingJob[] = []
  #running: readonly AtWork[] = []
  /** Since when a job has been the first of those that wait. */
  #head: { readonly jobId: string; readonly since: number } | undefined

  constructor(random: Random, nodes: readonly SchedulableNode[]) {
    this.#random = random
    this.#nodes = nodes
  }

  /** Jobs that wait. */
  get waiting(): readonly WaitingJob[] {
    return this.#waiting
  }

  /** Jobs that run. */
  get running(): readonly RunningJob[] {
    return this.#running
  }

  submit(spec: JobSpec): string {
    const jobId = `j-${String(this.#submitted).padStart(12, '0')}`
    this.#waiting = [...this.#waiting, { jobId, spec, submittedAt: this.#submitted++ }]
    return jobId
  }

  /** Ends what is to end, begins what can begin, makes room where that helps, and checks it all. */
  step(): void {
    this.#tick++
    this.#running = this.#running.filter(({ endsAt }) => endsAt > this.#tick)
    this.#begin()
    const yielded = yielding({ waiting: this.#waiting, running: this.#running, offers: this.#offers() })
    if (yielded.length > 0) {
      const gone = new Set(yielded.map(({ jobId, task }) => `${jobId} ${task}`))
      this.#running = this.#running.map((one) => ({
        ...one,
        there: one.there.filter(({ task }) => !gone.has(`${one.jobId} ${task}`)),
      }))
      ok(
        this.#running.every(({ there }) => there.length > 0),
        'each job keeps a task',
      )
      ok(this.#begin() > 0, 'somebody makes use of the room that was made')
    }
    this.#checkHead()
  }

  /** Answers how many tasks were begun. */
  #begin(): number {
    const offers = this.#offers()
    const decisions = nextPlacements({ waiting: this.#waiting, running: this.#running, offers })
    if (this.#tick % 4 === 0) this.#checkOrder(decisions)
    for (const one of decisions) this.#take(one)
    this.#checkCapacity()
    return decisions.flatMap(({ decision }) => (decision.kind === 'placed' ? decision.assignments : []))
      .length
  }

  #take({ jobId, decision }: JobDecision): void {
    if (decision.kind === 'wait') {
      match(decision.reason, /\.$/)
      return
    }
    const waited = this.#waiting.find((one) => one.jobId === jobId)
    const before = this.#running.find((one) => one.jobId === jobId)
    const there = [...(before?.there ?? []), ...decision.assignments]
    const { spec } = (waited ?? before)!
    checkTasks(spec, there)
    this.#waiting = this.#waiting.filter((one) => one !== waited)
    const endsAt = before?.endsAt ?? this.#tick + 1 + this.#random.below(longest)
    this.#running = [
      ...this.#running.filter((one) => one !== before),
      { ...(waited ?? before)!, there, endsAt },
    ]
  }

  #holdings(): readonly Holding[] {
    return this.#running.flatMap(({ spec, there }) =>
      there.map(({ task, node: at }) => ({ node: at, need: spec.tasks[groupOf(task)]!.need })),
    )
  }

  /** Tasks are thought to take no memory yet, so that what is free is all that is not promised. */
  #offers(): readonly Offer[] {
    return offersOf(this.#nodes, this.#holdings())
  }

  /** The order of the lists does not matter. */
  #checkOrder(decisions: readonly JobDecision[]): void {
    const shuffled = {
      waiting: this.#random.shuffled(this.#waiting),
      running: this.#random.shuffled(this.#running),
      offers: offersOf(this.#random.shuffled(this.#nodes), this.#holdings()),
    }
    deepEqual(nextPlacements(shuffled), decisions)
  }

  #checkCapacity(): void {
    const empty = offersOf(this.#nodes, [])
    for (const { nodeId, idle } of empty) {
      const held = this.#holdings().filter((holding) => holding.node === nodeId)
      ok(fits(idle, held.map(({ need }) => roomOf(need)).reduce(plus, noRoom)), `room on ${nodeId}`)
    }
    const computing = new Set(empty.map(({ nodeId }) => nodeId))
    ok(
      this.#holdings().every((holding) => computing.has(holding.node)),
      'clients compute nothing',
    )
  }

  /** Who is first begins at the latest when one task after the other of what is in its way has ended. */
  #checkHead(): void {
    const inOrder = this.#waiting.toSorted(
      (a, b) => b.spec.priority - a.spec.priority || a.submittedAt - b.submittedAt,
    )
    const head = inOrder.find(({ spec }) => reserve(spec, this.#offers()))
    if (!head || head.jobId !== this.#head?.jobId) {
      this.#head = head && { jobId: head.jobId, since: this.#tick }
      return
    }
    const tasks = Object.values(head.spec.tasks).reduce(
      (sum, { count }) => sum + (count === 'all' ? 1 : count),
      0,
    )
    const ticks = this.#tick - this.#head.since
    ok(ticks <= tasks * longest, `${head.jobId} has been first for ${ticks} ticks`)
  }
}

/** All of a gang or none of it, every task once, and never more than were asked for. */
function checkTasks({ scheduling, tasks }: JobSpec, there: readonly Place[]): void {
  ok(new Set(there.map(({ task }) => task)).size === there.length, 'every task once')
  for (const [group, { count }] of Object.entries(tasks)) {
    const own = there.filter(({ task }) => groupOf(task) === group)
    if (count === 'all') {
      ok(own.length > 0, 'one at least')
      ok(new Set(own.map(({ node: at }) => at)).size === own.length, 'one on each node')
    } else {
      ok(own.length <= count, 'as many as were asked for')
      ok(scheduling === 'elastic' || own.length === count, 'all of a gang')
    }
  }
  ok(there.length > 0, 'some task')
}

/** From one node to eight, of many kinds; some are hot, some have GPUs, some compute nothing. */
export const randomNodes = (random: Random): readonly SchedulableNode[] =>
  Array.from({ length: 1 + random.below(8) }, (_, index) =>
    node(`node-${index}`, {
      role: random.below(10) === 0 ? 'client' : 'worker',
      cores: 1 + random.below(6),
      gflops: 1 + 40 * random.uniform() ** 2,
      memoryBytes: (1 + random.below(8)) * gibibyte,
      gpus: random.below(4) === 0 ? 1 : 0,
      throttled: random.below(6) === 0,
      links: {
        'node-0': { roundTripMs: 10 * random.uniform(), bytesPerSecond: 1e6 + 1e8 * random.uniform() },
      },
    }),
  )

/** A gang or an elastic job, alone or with parameter servers, of tasks that ask for little or much. */
export function randomJob(random: Random): JobSpec {
  const need = () => ({
    cores: random.pick([1, 1, 1, 2]),
    memoryBytes: random.pick([0.25, 0.5, 1, 2]) * gibibyte,
    devices: random.below(8) === 0 ? ['webgpu' as const] : [],
  })
  const worker = { count: random.below(6) === 0 ? ('all' as const) : 1 + random.below(6), need: need() }
  const ps = { count: 1 + random.below(2), need: need() }
  const gang: Partial<JobRequest> = { tasks: random.below(3) === 0 ? { worker, ps } : { worker } }
  const elastic: Partial<JobRequest> = { tasks: { worker }, scheduling: 'elastic' }
  return job({ ...(random.below(3) === 0 ? elastic : gang), priority: random.below(8) === 0 ? 1 : 0 })
}
