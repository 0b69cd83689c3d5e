// An elastic job takes what it can get: more tasks when there is room for them, and a cooler node for one that has become too hot.
import type { JobSpec } from '../jobs/spec.ts'
import { Estimator, total } from './estimate.ts'
import { noRoom, type Offer, type Room, roomsOf } from './offer.ts'
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

/** The tasks of an elastic job as they become more, one by one. */
export class Growth {
  readonly #packing: Packing
  /** The tasks that may be begun yet; with the count 'all' it is the packing that refuses a second one on a node. */
  readonly #names: string[]

  /**
   * @param there its tasks that have a place, done ones included: their names are not given again.
   * @param rooms what is free on each node; it takes of it. Default what is offered.
   */
  constructor(
    spec: JobSpec,
    offers: readonly Offer[],
    {
      there,
      rooms = roomsOf(offers),
    }: { readonly there: readonly Place[]; readonly rooms?: Map<string, Room> },
  ) {
    this.#packing = new Packing(spec, offers, { there, rooms })
    const given = new Set(there.map(({ task }) => task))
    this.#names = Object.entries(spec.tasks).flatMap(([group, { count }]) => {
      const all = given.size + offers.length
      const names = Array.from({ length: count === 'all' ? all : count }, (_, index) => `${group}:${index}`)
      return names.filter((name) => !given.has(name))
    })
    if (spec.scheduling === 'gang') this.#names = []
  }

  /** One task more; undefined where there is no room for any. */
  next(): Assigned | undefined {
    const at = this.#names.findIndex((name) => this.#packing.add(name))
    if (at < 0) return undefined
    // What found no place has none later: room only becomes less.
    this.#names.splice(0, at + 1)
    return this.#packing.assigned.at(-1)
  }
}

/**
 * Tasks that an elastic job can begin now, up to its counts. A count 'all' is one on each node. A gang does not grow.
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
  const growth = new Growth(spec, offers, { there })
  const added: Assigned[] = []
  while (added.length < atMost) {
    const next = growth.next()
    if (!next) break
    added.push(next)
  }
  return added
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
      rooms: new Map(offers.map(({ nodeId, room, throttled }) => [nodeId, throttled ? noRoom : room])),
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
