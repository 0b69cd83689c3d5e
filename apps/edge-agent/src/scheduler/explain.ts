// A decision in lines for people: what runs where and why there, or what a job waits for.
import type { Estimate } from './estimate.ts'
import type { Offer } from './offer.ts'
import type { Decision } from './place.ts'
import { bytes } from './shortage.ts'

/**
 * The lines that `shoal jobs show` prints for a decision: one for each task, or the reason in one or more.
 * @param offers those that the decision was made from.
 */
export function explain(decision: Decision, offers: readonly Offer[]): readonly string[] {
  if (decision.kind === 'wait')
    return decision.reason.split(/(?<=[.;]) /).map((line) => line.replace(/;$/, ''))
  return decision.assignments.map(({ task, node, estimate }) => {
    const offer = offers.find(({ nodeId }) => nodeId === node)
    const speed = offer ? [speedOf(offer)] : []
    return `${task} on ${node}: ${[...speed, dataOf(estimate), ...exchangeOf(estimate)].join(', ')}`
  })
}

const speedOf = ({ gflops, throttled }: Offer): string =>
  `${gflops.toFixed(1)} GFLOP/s${throttled ? ' (slowed by heat)' : ''}`

const dataOf = ({ missingBytes, moving }: Estimate): string =>
  missingBytes > 0
    ? `${bytes(missingBytes)} to fetch (about ${moving.toFixed(moving < 10 ? 1 : 0)} s)`
    : 'nothing to fetch'

/** Of a step, whose number in the estimate is known there only. */
const exchangeOf = ({ exchanging }: Estimate): readonly string[] =>
  exchanging > 0 ? [`exchange with the others ${exchanging.toFixed(1)} s of a typical minute`] : []
