// An elastic job takes what it can get: more tasks when there is room for them, and a cooler node for one that has become too hot.
import type { JobSpec } from '../jobs/spec.ts'
import { Estimator, total } from './estimate.ts'
import { noRoom, type Offer } from './offer.ts'
import { type Assigned, Packing } from './packing.ts'
import { groupOf, type Place, partOf } from './task.ts'

/** A task that is better off elsewhere. */
export interface Move {
  readonly task: string
  readonly from: string
  readonly to: string
}

/** How much faster a task must be elsewhere, its data's way included, to be moved: what it was doing begins again. */
const worthMoving = 1.5

/**
 * Tasks that an elastic job can begin now, up to its counts. A count 'all' is one on each node.
 * @param there its tasks that have a place, done ones included: their names are not given again.
 * @param atMost how many. Default as many as fit.
 */
export function grow({
  spec,
  there,
  offers,
  atMost = Number.POSITIVE_INFINITY,
}: {
  readonly spec: JobSpec
  readonly there: readonly Place[]
  readonly offers: readonly Offer[]
  readonly atMost?: number
}): readonly Assigned[] {
  if (spec.scheduling !== 'elastic') return []
  const packing = new Packing(spec, offers, { there })
  for (const [group, { count }] of Object.entries(spec.tasks)) {
    const names = new Set(there.map(({ task }) => task).filter((task) => groupOf(task) === group))
    // With 'all', the packing itself refuses a second one on a node.
    const most = count === 'all' ? names.size + offers.length : count
    for (let index = 0; names.size < most && packing.assigned.length < atMost; index++) {
      const task = `${group}:${index}`
      if (names.has(task)) continue
      if (!packing.add(task)) break
      names.add(task)
    }
  }
  return packing.assigned
}

/**
 * The one task of an elastic job that gains most by leaving a node that is slowed by heat; undefined where none gains enough. One at a time:
 * what it leaves behind cools down, and the next look may find that this was enough.
 * @param there its tasks that run.
 */
export function move({
  spec,
  there,
  offers,
}: {
  readonly spec: JobSpec
  readonly there: readonly Place[]
  readonly offers: readonly Offer[]
}): Move | undefined {
  if (spec.scheduling !== 'elastic') return undefined
  const moves = there.flatMap(({ task, node }) => {
    const hot = offers.find(({ nodeId, throttled }) => nodeId === node && throttled)
    if (!hot) return []
    const others = there.filter((place) => place.task !== task)
    const packing = new Packing(spec, offers, {
      there: others,
      roomIn: ({ room, throttled }) => (throttled ? noRoom : room),
    })
    if (!packing.add(task)) return []
    const { node: to, estimate } = packing.assigned[0]!
    const stay = new Estimator(spec, offers, others).estimate(hot, partOf(spec, groupOf(task)))
    // What it reads is there, or on its way.
    const gain = total({ ...stay, moving: 0 }) / total(estimate)
    return gain >= worthMoving ? [{ task, from: node, to, gain }] : []
  })
  const best = moves.toSorted((a, b) => b.gain - a.gain)[0]
  return best && { task: best.task, from: best.from, to: best.to }
}
