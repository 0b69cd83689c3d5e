// The room that is kept for a job that waits at the head of the queue, so that small ones behind it do not take for ever what it needs at once.
import type { JobSpec } from '../jobs/spec.ts'
import { packGang } from './gang.ts'
import { grow } from './grow.ts'
import { fits, less, noRoom, type Offer, plus, type Room, roomOf } from './offer.ts'
import { type Assigned, Packing } from './packing.ts'
import { groupOf } from './task.ts'

/** What is kept on each node, by its id. */
export type Kept = ReadonlyMap<string, Room>

/**
 * The places that a job waits for; undefined where it could not run even if nothing else did, since keeping room would help nobody then.
 *
 * Nobody who comes later may take of them, so the job is sure to begin once the tasks that are in its way have ended:
 * - Where all of its tasks are alike, as many as possible are kept in what is free now, the rest where it becomes free. How many tasks are still missing
 *   can only fall: what others may take does not make fewer fit into what is kept, and any task that ends can make more fit.
 * - Where they differ, such counting would not hold, and the places are those that it would get if nothing ran: always the same ones.
 */
export function reserve(spec: JobSpec, offers: readonly Offer[]): readonly Assigned[] | undefined {
  const idle = offers.map((offer) => ({ ...offer, room: offer.idle }))
  if (spec.scheduling === 'elastic') {
    const one = grow({ spec, there: [], offers, atMost: 1 })
    const [first] = one.length > 0 ? one : grow({ spec, there: [], offers: idle, atMost: 1 })
    return first && [first]
  }
  const least = atLeast(spec)
  return alike(least) ? packAlike(least, offers) : packGang(least, idle)
}

/** The same job, content with one of what it wants everywhere. */
const atLeast = (spec: JobSpec): JobSpec => ({
  ...spec,
  tasks: Object.fromEntries(
    Object.entries(spec.tasks).map(([group, { count, need }]) => [
      group,
      { count: count === 'all' ? 1 : count, need },
    ]),
  ),
})

/** Is all of what is kept free now? */
export function isFree(places: readonly Assigned[], spec: JobSpec, offers: readonly Offer[]): boolean {
  const kept = keptBy(places, spec)
  return offers.every(({ nodeId, room }) => fits(room, kept.get(nodeId) ?? noRoom))
}

/** What some tasks of a job take of each node. */
export function keptBy(places: readonly Assigned[], { tasks }: JobSpec): Kept {
  const kept = new Map<string, Room>()
  for (const { task, node } of places) {
    const need = tasks[groupOf(task)]!.need
    kept.set(node, plus(kept.get(node) ?? noRoom, roomOf(need)))
  }
  return kept
}

function alike({ tasks }: JobSpec): boolean {
  const [first, ...others] = Object.values(tasks).map(({ need }) => roomOf(need))
  return first !== undefined && others.every((room) => fits(first, room) && fits(room, first))
}

function packAlike(spec: JobSpec, offers: readonly Offer[]): readonly Assigned[] | undefined {
  const tasks = Object.entries(spec.tasks).flatMap(([group, { count }]) =>
    Array.from({ length: Number(count) }, (_, index) => `${group}:${index}`),
  )
  const now = new Packing(spec, offers)
  const rest = tasks.filter((task) => !now.add(task))
  const kept = keptBy(now.assigned, spec)
  const later = new Packing(spec, offers, {
    there: now.assigned,
    rooms: new Map(offers.map(({ nodeId, idle }) => [nodeId, less(idle, kept.get(nodeId) ?? noRoom)])),
  })
  return rest.every((task) => later.add(task)) ? [...now.assigned, ...later.assigned] : undefined
}
