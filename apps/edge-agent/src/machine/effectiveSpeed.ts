// How fast a node computes now: what it was measured at, less what others take of it, less what its heat costs.
import type { Heat, Inventory } from './inventory.ts'

/** Assumed of a processor that is slowed by nobody knows how much: a Raspberry Pi goes from 1.8 GHz down to between 0.6 and 1.5. */
const slowedPart = 0.5

/** Of a core that another program keeps busy the system gives this much to one that comes: schedulers are fair. */
const sharedPart = 0.5

/** Assumed, in 1e9 operations per second and core, until a node's self-test is done: a Raspberry Pi 3, so that it is asked for little rather than too much. */
const unmeasuredGflops = 2

/**
 * How many float32 operations, in 1e9 per second, all cores of a node can do for new work, by which the scheduler divides work:
 *
 *     gflops × cores × part left by other programs × part left by heat
 *
 * Others leave 1 − (load − own), and at least a half, since systems share fairly. Heat leaves all unless the processor is throttled; then it leaves
 * what part of its clock is still allowed, or a half where the system does not say. A node without a measured speed counts 2 GFLOP/s per core.
 * @param ownCores how many cores the tasks keep busy that the scheduler itself gave to the node: they are part of its load, and no reason to shun it. Default 0.
 */
export function effectiveSpeed({ speed, cores, load, heat }: Inventory, ownCores = 0): number {
  const others = Math.min(1, Math.max(0, load - ownCores / cores))
  return (speed?.gflops ?? unmeasuredGflops) * cores * Math.max(sharedPart, 1 - others) * clockPart(heat)
}

function clockPart(heat: Heat | undefined): number {
  if (!heat?.throttled) return 1
  const { clock = 1 } = heat
  return clock > 0 && clock < 1 ? clock : slowedPart
}
