// From what a job asks for and what the nodes offer to who does what, now; or to why it has to wait. The same question has the same answer always.
import type { JobSpec } from '../jobs/spec.ts'
import { packGang } from './gang.ts'
import { grow } from './grow.ts'
import type { Offer } from './offer.ts'
import type { Assigned } from './packing.ts'
import { shortage } from './shortage.ts'

/** What is to become of a job now. */
export type Decision =
  | { readonly kind: 'placed'; readonly assignments: readonly Assigned[] }
  /** `reason` is for people: what is missing, where, and what helps. */
  | { readonly kind: 'wait'; readonly reason: string }

/**
 * Finds places for a job that has none. A gang gets all of its tasks or none; an elastic job as many as fit, one at least. The count 'all' is one
 * task on each node that has room for one, one at least. What decides is the estimate of each task (estimate.ts): fast nodes, each taken once before
 * one is taken twice, nodes that have the data, and well-linked ones for whoever serves others.
 * @param offers of all nodes; what is taken of them by others is not in their room any more.
 */
export function place({
  spec,
  offers,
}: {
  readonly spec: JobSpec
  readonly offers: readonly Offer[]
}): Decision {
  const assignments = placesIn(spec, offers)
  if (assignments) return { kind: 'placed', assignments }
  const later = placesIn(
    spec,
    offers.map((offer) => ({ ...offer, room: offer.idle })),
  )
  return { kind: 'wait', reason: shortage(spec, offers, later !== undefined) }
}

function placesIn(spec: JobSpec, offers: readonly Offer[]): readonly Assigned[] | undefined {
  if (spec.scheduling === 'gang') return packGang(spec, offers)
  const assignments = grow({ spec, there: [], offers })
  return assignments.length > 0 ? assignments : undefined
}
