// A synchronous step ends when its slowest task does: examples are divided so that all need the same time.
import type { Offer } from './offer.ts'
import type { Place } from './task.ts'

/**
 * Divides a batch among the tasks of a synchronous job by what each gets of its node's speed, so that a hot node has less to do. The numbers are
 * whole and sum up to the batch (the method of largest remainders); each task has one at least where there are enough. A task whose node is not
 * among the offers counts as one of middling speed.
 * @returns examples of each task, by its name.
 */
export function shares({
  batch,
  there,
  offers,
}: {
  readonly batch: number
  readonly there: readonly Place[]
  readonly offers: readonly Offer[]
}): Readonly<Record<string, number>> {
  const known = new Map(offers.map(({ nodeId, gflops }) => [nodeId, gflops]))
  const speeds = there.flatMap(({ node }) => known.get(node) ?? []).toSorted((a, b) => a - b)
  const middling = speeds[Math.floor(speeds.length / 2)] ?? 1
  const weights = there.map(({ node }) => known.get(node) ?? middling)
  const counts = divide(batch, weights)
  if (batch >= there.length) {
    for (const [index, count] of counts.entries()) {
      if (count > 0) continue
      counts[counts.indexOf(Math.max(...counts))]!--
      counts[index] = 1
    }
  }
  return Object.fromEntries(there.map(({ task }, index) => [task, counts[index]!]))
}

/** Whole numbers in proportion to the weights that sum up to `amount`. */
function divide(amount: number, weights: readonly number[]): number[] {
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  const exact = weights.map((weight) => (amount * weight) / whole)
  const counts = exact.map(Math.floor)
  const left = amount - counts.reduce((sum, count) => sum + count, 0)
  const byRemainder = exact
    .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
    .toSorted((a, b) => b.remainder - a.remainder)
  for (const { index } of byRemainder.slice(0, left)) counts[index]!++
  return counts
}
