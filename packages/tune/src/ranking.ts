// Which trial is better: by one objective, or by several where none leads in all. Whoever breaks constraints comes after all who keep them.
import type { Direction, TrialRecord } from './trial.ts'
import { lossesOf, violationOf } from './trial.ts'

/** Is `a` nowhere worse than `b` and somewhere better? Losses. */
function leads(a: readonly number[], b: readonly number[]): boolean {
  return a.every((loss, i) => loss <= b[i]!) && a.some((loss, i) => loss < b[i]!)
}

/**
 * Complete trials by fronts: those that none leads, those that only these lead, and so on; then those that break constraints, by how
 * much. Deb et al., A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II, 2002, with its constrained domination.
 */
export function frontsOf(
  trials: readonly TrialRecord[],
  directions: readonly Direction[],
): readonly (readonly TrialRecord[])[] {
  const feasible = trials.filter((trial) => violationOf(trial) === 0)
  const broken = trials.filter((trial) => violationOf(trial) > 0)
  broken.sort((a, b) => violationOf(a) - violationOf(b) || a.number - b.number)
  const losses = new Map(feasible.map((trial) => [trial, lossesOf(trial, directions)]))
  const fronts: TrialRecord[][] = []
  const placed = new Map<TrialRecord, number>()
  // Sorted by their losses, nobody is led by a later one: each looks for the first front that does not lead it.
  const inOrder = feasible.toSorted(
    (a, b) => compareLists(losses.get(a)!, losses.get(b)!) || a.number - b.number,
  )
  for (const trial of inOrder) {
    const own = losses.get(trial)!
    let at = 0
    while (at < fronts.length && fronts[at]!.some((other) => leads(losses.get(other)!, own))) at++
    ;(fronts[at] ??= []).push(trial)
    placed.set(trial, at)
  }
  return [...fronts, ...broken.map((trial) => [trial])]
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i])
  return at < 0 ? 0 : a[at]! - b[at]!
}

/**
 * How far each trial of a front stands from its neighbours: Infinity at the ends, otherwise the sum over objectives of the gap around
 * it as a share of the front's range. Deb et al. 2002, section III-B.
 */
export function crowdingOf(
  front: readonly TrialRecord[],
  directions: readonly Direction[],
): ReadonlyMap<TrialRecord, number> {
  const distance = new Map(front.map((trial) => [trial, 0]))
  directions.forEach((_, objective) => {
    const at = (trial: TrialRecord): number => trial.objectives[objective]!
    const sorted = front.toSorted((a, b) => at(a) - at(b) || a.number - b.number)
    const range = at(sorted.at(-1)!) - at(sorted[0]!)
    sorted.forEach((trial, i) => {
      const [before, after] = [sorted[i - 1], sorted[i + 1]]
      const gap = before && after ? (range > 0 ? (at(after) - at(before)) / range : 0) : Infinity
      distance.set(trial, distance.get(trial)! + gap)
    })
  })
  return distance
}

/** Complete trials, the best first: by fronts, within a front the lone ones first. With one objective simply by it. */
export const ranked = (trials: readonly TrialRecord[], directions: readonly Direction[]): TrialRecord[] =>
  directions.length === 1
    ? trials.toSorted(
        (a, b) =>
          violationOf(a) - violationOf(b) ||
          lossesOf(a, directions)[0]! - lossesOf(b, directions)[0]! ||
          a.number - b.number,
      )
    : frontsOf(trials, directions).flatMap((front) => {
        const distance = crowdingOf(front, directions)
        return front.toSorted((a, b) => {
          const [first, second] = [distance.get(a)!, distance.get(b)!]
          return first === second ? a.number - b.number : second - first
        })
      })
