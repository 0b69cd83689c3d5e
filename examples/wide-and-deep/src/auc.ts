// How well scores put the right ones first, whatever threshold one would draw.

/**
 * The area under the receiver operating characteristic: how likely a positive example has a greater score than a negative one.
 * By the rank sum of Mann and Whitney; equal scores share their ranks. NaN when one class is missing.
 */
export function areaUnderCurve(scores: readonly number[], positive: readonly boolean[]): number {
  const order = scores.map((_, i) => i).sort((a, b) => scores[a]! - scores[b]!)
  let rankSum = 0
  for (let begin = 0, end = 0; begin < order.length; begin = end) {
    while (end < order.length && scores[order[end]!] === scores[order[begin]!]) end++
    const sharedRank = (begin + 1 + end) / 2
    for (const i of order.slice(begin, end)) if (positive[i]) rankSum += sharedRank
  }
  const positives = positive.filter(Boolean).length
  const negatives = positive.length - positives
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives)
}
