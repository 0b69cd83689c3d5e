// Elastic jobs make room: they give up tasks so that who waits can begin, and so that those who are alike have alike.
import { grow } from './grow.ts'
import { fits, type Offer, plus, type Room, roomOf } from './offer.ts'
import { place } from './place.ts'
import { inTurn, nextPlacements, type RunningJob, type WaitingJob } from './queue.ts'
import { reserve } from './reserve.ts'
import { groupOf, type Place } from './task.ts'

/** A task that its job gives up. What it was doing begins again elsewhere; what it has finished stays. */
export interface Yielded extends Place {
  readonly jobId: string
}

/**
 * The tasks that elastic jobs shall give up now; none while somebody can begin or grow without it.
 *
 * If the first job that waits could begin in what jobs of its own or of a lower priority give up, they do, of each all but one task. If nobody waits,
 * and one elastic job has two tasks more than another of the same priority that could use one, it gives up one at a time. Until these tasks have
 * ended, the answer stays the same.
 * @param offers of all nodes, without what the running jobs hold.
 */
export function yielding({
  waiting,
  running,
  offers,
}: {
  readonly waiting: readonly WaitingJob[]
  readonly running: readonly RunningJob[]
  readonly offers: readonly Offer[]
}): readonly Yielded[] {
  const decisions = nextPlacements({ waiting, running, offers })
  if (decisions.some(({ decision }) => decision.kind === 'placed')) return []
  const elastic = running.filter(({ spec }) => spec.scheduling === 'elastic')
  // A job that cannot run here keeps no room, and nobody waits behind it.
  const head = waiting.toSorted(inTurn).find(({ spec }) => reserve(spec, offers))
  return head ? yieldTo(head, elastic, offers) : balance(elastic, offers)
}

/** The fewest tasks, as far as is tried, without which this job could begin. */
function yieldTo(
  { spec }: WaitingJob,
  elastic: readonly RunningJob[],
  offers: readonly Offer[],
): readonly Yielded[] {
  const begins = (without: readonly Yielded[]) =>
    place({ spec, offers: returned(offers, without, elastic) }).kind === 'placed'
  const all = elastic
    .filter((job) => job.spec.priority <= spec.priority)
    .flatMap(({ jobId, spec: { priority }, there }) =>
      there.slice(1).map((one, rank) => ({ yielded: { ...one, jobId }, priority, rank })),
    )
    .toSorted((a, b) => b.priority - a.priority || a.rank - b.rank)
    .map(({ yielded }) => yielded)
  if (all.length === 0 || !begins(all)) return []
  // Higher priorities are tried first to be kept whole, and of one priority those tasks that leave equally many to each.
  return all.reduce<readonly Yielded[]>((given, one) => {
    const fewer = given.filter((other) => other !== one)
    return begins(fewer) ? fewer : given
  }, all)
}

/** One task of who has most for who has least. */
function balance(elastic: readonly RunningJob[], offers: readonly Offer[]): readonly Yielded[] {
  const poorest = elastic.toSorted((a, b) => a.there.length - b.there.length || inTurn(a, b))
  for (const poor of poorest) {
    const rich = poorest.filter(
      ({ spec, there }) => spec.priority === poor.spec.priority && there.length >= poor.there.length + 2,
    )
    for (const { jobId, there } of rich.toReversed()) {
      const one = there
        .map((each) => ({ ...each, jobId }))
        .findLast(
          (each) => grow({ ...poor, offers: returned(offers, [each], elastic), atMost: 1 }).length > 0,
        )
      if (one) return [one]
    }
  }
  return []
}

/** The offers as they are when these tasks have ended. */
function returned(
  offers: readonly Offer[],
  tasks: readonly Yielded[],
  jobs: readonly RunningJob[],
): readonly Offer[] {
  const specs = new Map(jobs.map(({ jobId, spec }) => [jobId, spec]))
  return offers.map((offer) => {
    const given = tasks
      .filter(({ node }) => node === offer.nodeId)
      .map(({ jobId, task }) => roomOf(specs.get(jobId)!.tasks[groupOf(task)]!.need))
    return { ...offer, room: within(given.reduce(plus, offer.room), offer.idle) }
  })
}

/** A room, but not more than another. */
const within = (room: Room, most: Room): Room =>
  fits(most, room)
    ? room
    : {
        cores: Math.min(room.cores, most.cores),
        memoryBytes: Math.min(room.memoryBytes, most.memoryBytes),
        adapters: Math.min(room.adapters, most.adapters),
      }
