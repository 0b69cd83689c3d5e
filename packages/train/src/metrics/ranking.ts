// How well scores put what is before what is not.
import { ValueError } from '@shoal/core'

/**
 * The area under the receiver operating characteristic: the probability that a positive example has a greater score than a negative one,
 * ties counting half. Exact, from ranks (Mann and Whitney, 1947). NaN when there are only positives or only negatives.
 * @param positives whether each example is one.
 * @throws ValueError when the lengths differ or a score is NaN.
 */
export function rocAuc(scores: ArrayLike<number>, positives: ArrayLike<boolean | number>): number {
  const groups = tiedGroups(scores, positives)
  let [below, pairs, found] = [0, 0, 0]
  for (const { yes, no } of groups.reverse()) {
    pairs += yes * (below + no / 2)
    below += no
    found += yes
  }
  return pairs / (found * below)
}

/**
 * Average precision: the mean, over the positive examples, of the precision among all that score at least as much. NaN without positives.
 * @throws ValueError as `rocAuc` does.
 */
export function averagePrecision(scores: ArrayLike<number>, positives: ArrayLike<boolean | number>): number {
  let [found, seen, total] = [0, 0, 0]
  for (const { yes, no } of tiedGroups(scores, positives)) {
    found += yes
    seen += yes + no
    total += (yes * found) / seen
  }
  return total / found
}

/** How many positives and negatives have each score, the greatest score first. */
function tiedGroups(
  scores: ArrayLike<number>,
  positives: ArrayLike<boolean | number>,
): { yes: number; no: number }[] {
  if (scores.length !== positives.length)
    throw new ValueError(`${scores.length} scores for ${positives.length} examples`)
  const groups = new Map<number, { yes: number; no: number }>()
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!
    if (Number.isNaN(score)) throw new ValueError(`score ${i} is NaN: it has no rank`)
    const group = groups.get(score) ?? { yes: 0, no: 0 }
    groups.set(score, group)
    if (Number(positives[i]) === 0) group.no++
    else group.yes++
  }
  return [...groups].sort(([a], [b]) => b - a).map(([, group]) => group)
}
