// Who goes first: by priority, then by age. What is kept for the first that has to wait follows from the lists each time anew; nothing is remembered.
import type { JobSpec } from '../jobs/spec.ts'
import { Growth, grow } from './grow.ts'
import { less, noRoom, type Offer, roomsOf } from './offer.ts'
import type { Assigned } from './packing.ts'
import { type Decision, place } from './place.ts'
import { isFree, type Kept, keptBy, reserve } from './reserve.ts'
import type { Place } from './task.ts'

/** A job that wants places. */
export interface WaitingJob {
  readonly jobId: string
  readonly spec: JobSpec
  /** Milliseconds since 1970; only compared. */
  readonly submittedAt: number
}

/** A job that has begun. An elastic one of which a task is done finds no more to do, and is to be left out: it would be given room that it does not use. */
export interface RunningJob extends WaitingJob {
  /** Its tasks that have a place, whose names are not given again; of an elastic job there may be none now. */
  readonly there: readonly Place[]
}

/** What is to become of one job. */
export interface JobDecision {
  readonly jobId: string
  readonly decision: Decision
}

/** The order of the queue: higher priorities, then older ones. */
export const inTurn = (a: WaitingJob, b: WaitingJob): number =>
  b.spec.priority - a.spec.priority || a.submittedAt - b.submittedAt || (a.jobId < b.jobId ? -1 : 1)

/**
 * What can begin now, of all jobs that wait and of the elastic ones that run.
 *
 * Among jobs of one priority everybody gets what is needed to begin, in order of age: all tasks of a gang, one of an elastic job. What is left goes
 * to the elastic ones, task by task to whichever has the fewest. Then comes the next lower priority. The first job that has to wait keeps the places
 * that it waits for (reserve.ts); those behind it may begin only in what it cannot use, so that it is never put off.
 * @param running jobs whose tasks hold what the offers do not hold any more. Of these, only elastic ones get anything.
 * @param offers of all nodes.
 * @returns a decision for each job that waits, in the order of the queue, and after them for each running one that gets more.
 */
export function nextPlacements({
  waiting,
  running,
  offers,
}: {
  readonly waiting: readonly WaitingJob[]
  readonly running: readonly RunningJob[]
  readonly offers: readonly Offer[]
}): readonly JobDecision[] {
  const floor = new Floor(offers)
  const decisions = new Map<string, Decision>()
  const queue = waiting.toSorted(inTurn)
  const growing = running.filter(({ spec }) => spec.scheduling === 'elastic')
  const priorities = new Set([...queue, ...growing].map(({ spec }) => spec.priority))
  for (const priority of [...priorities].toSorted((a, b) => b - a)) {
    const started = queue
      .filter(({ spec }) => spec.priority === priority)
      .map((job) => {
        const decision = floor.begin(job)
        decisions.set(job.jobId, decision)
        return { ...job, there: decision.kind === 'placed' ? decision.assignments : [] }
      })
    const begun = started.filter(({ spec, there }) => spec.scheduling === 'elastic' && there.length > 0)
    const elastic = [...growing.filter(({ spec }) => spec.priority === priority), ...begun]
    for (const [jobId, added] of floor.share(elastic.toSorted(inTurn))) {
      const before = decisions.get(jobId)
      const first = before?.kind === 'placed' ? before.assignments : []
      decisions.set(jobId, { kind: 'placed', assignments: [...first, ...added] })
    }
  }
  const order = [...queue, ...growing.toSorted(inTurn)]
  return order.flatMap(({ jobId }) => {
    const decision = decisions.get(jobId)
    return decision ? [{ jobId, decision }] : []
  })
}

/** What is free on all nodes while places are given away, and what of it is kept for whom. */
class Floor {
  #offers: readonly Offer[]
  #kept: Kept = new Map()
  #head: WaitingJob | undefined

  constructor(offers: readonly Offer[]) {
    this.#offers = offers
  }

  /** Gives a job what it needs to begin. */
  begin(job: WaitingJob): Decision {
    const { spec } = job
    const decision = this.#take(spec, placeToBegin(spec, this.#unkept()))
    if (decision.kind === 'placed') return decision
    if (this.#head) return this.#behind(this.#head, spec, decision)
    const reserved = reserve(spec, this.#offers)
    if (!reserved) return decision
    // What was kept is free at last, in a way that is not found from what is free alone.
    if (isFree(reserved, spec, this.#offers))
      return this.#take(spec, { kind: 'placed', assignments: reserved })
    this.#head = job
    this.#kept = keptBy(reserved, spec)
    return decision
  }

  /** Gives elastic jobs more tasks, one at a time to whichever has the fewest, until nothing fits. */
  share(jobs: readonly RunningJob[]): ReadonlyMap<string, readonly Assigned[]> {
    const unkept = this.#unkept()
    const rooms = roomsOf(unkept)
    const added = new Map<string, Assigned[]>()
    const hungry = jobs.map(({ jobId, spec, there }) => ({
      jobId,
      spec,
      growth: new Growth(spec, unkept, { there, rooms }),
      tasks: there.length,
    }))
    while (hungry.length > 0) {
      const poorest = hungry.reduce((least, next) => (next.tasks < least.tasks ? next : least))
      const more = poorest.growth.next()
      if (!more) {
        hungry.splice(hungry.indexOf(poorest), 1)
        continue
      }
      poorest.tasks++
      this.#take(poorest.spec, { kind: 'placed', assignments: [more] })
      added.set(poorest.jobId, [...(added.get(poorest.jobId) ?? []), more])
    }
    return added
  }

  #take(spec: JobSpec, decision: Decision): Decision {
    if (decision.kind === 'placed') this.#offers = without(this.#offers, keptBy(decision.assignments, spec))
    return decision
  }

  #unkept(): readonly Offer[] {
    return without(this.#offers, this.#kept)
  }

  /** A job that would find its places if it were not for whoever goes first is told so. */
  #behind(head: WaitingJob, spec: JobSpec, decision: Decision): Decision {
    if (placeToBegin(spec, this.#offers).kind === 'wait') return decision
    const reason = `There is room for it, but it is kept for '${head.spec.name}' (${head.jobId}), which goes first.`
    return { kind: 'wait', reason }
  }
}

/** The places without which a job cannot begin. */
function placeToBegin(spec: JobSpec, offers: readonly Offer[]): Decision {
  const one = spec.scheduling === 'elastic' ? grow({ spec, there: [], offers, atMost: 1 }) : []
  return one.length > 0 ? { kind: 'placed', assignments: one } : place({ spec, offers })
}

const without = (offers: readonly Offer[], taken: Kept): readonly Offer[] =>
  offers.map((offer) => ({ ...offer, room: less(offer.room, taken.get(offer.nodeId) ?? noRoom) }))
