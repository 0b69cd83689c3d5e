// A packing is the places of one job's tasks in the making: it takes them one by one, each to the node that is best for it then.
import type { JobSpec } from '../jobs/spec.ts'
import { type Estimate, Estimator, total } from './estimate.ts'
import { fits, less, type Offer, type Room, roomOf, roomsOf } from './offer.ts'
import { groupOf, type Place, partOf } from './task.ts'

/** A task and the node that it shall run on. */
export interface Assigned extends Place {
  /** Why there: what it is thought to need. */
  readonly estimate: Estimate
}

/** 'fast': where it needs the fewest seconds. 'tight': where the least is left over, for what fits only just. */
export type Preference = 'fast' | 'tight'

/** The places of one job's tasks in the making. */
export class Packing {
  readonly #spec: JobSpec
  readonly #offers: readonly Offer[]
  readonly #rooms: Map<string, Room>
  readonly #estimator: Estimator
  readonly #places: Place[]
  readonly #assigned: Assigned[] = []

  /**
   * @param there the tasks of the job that have a place already, whose room is not free any more.
   * @param rooms what is free on each node; the packing takes of it. Default what is offered.
   */
  constructor(
    spec: JobSpec,
    offers: readonly Offer[],
    {
      there = [],
      rooms = roomsOf(offers),
    }: { readonly there?: readonly Place[]; readonly rooms?: Map<string, Room> } = {},
  ) {
    this.#spec = spec
    this.#offers = offers
    this.#rooms = rooms
    this.#estimator = new Estimator(spec, offers, there)
    this.#places = [...there]
  }

  /** The tasks that were added, in that order. */
  get assigned(): readonly Assigned[] {
    return this.#assigned
  }

  /** Finds a place for one more task. Answers whether there was one. */
  add(task: string, preference: Preference = 'fast'): boolean {
    const group = groupOf(task)
    const wanted = this.#spec.tasks[group]
    if (!wanted) return false
    const taken = roomOf(wanted.need)
    const part = partOf(this.#spec, group)
    const candidates = this.#offers
      .filter((offer) => fits(this.#rooms.get(offer.nodeId)!, taken))
      .filter((offer) => wanted.count !== 'all' || !this.#has(group, offer))
      .map((offer) => {
        const estimate = this.#estimator.estimate(offer, part)
        const left = less(this.#rooms.get(offer.nodeId)!, taken)
        return { offer, estimate, left, rank: rank(preference, estimate, left) }
      })
    const best = candidates.reduce<(typeof candidates)[number] | undefined>(
      (first, next) => (first && !before(next.rank, first.rank) ? first : next),
      undefined,
    )
    if (!best) return false
    const { offer, estimate, left } = best
    this.#rooms.set(offer.nodeId, left)
    this.#estimator.put(offer, part)
    this.#places.push({ task, node: offer.nodeId })
    this.#assigned.push({ task, node: offer.nodeId, estimate })
    return true
  }

  #has(group: string, { nodeId }: Offer): boolean {
    return this.#places.some(({ task, node }) => node === nodeId && groupOf(task) === group)
  }
}

/** The first of these that differs decides: the less, the better. Equals are taken in order of their ids. */
function rank(preference: Preference, estimate: Estimate, left: Room): readonly number[] {
  return preference === 'fast'
    ? [total(estimate), left.adapters, -left.memoryBytes]
    : [left.adapters, left.cores, left.memoryBytes]
}

function before(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((amount, index) => amount !== b[index])
  return at >= 0 && a[at]! < b[at]!
}
