// What values a tensor takes, seen on examples, and the steps of int8 that cover them.
import type { Feeds, NDArray, Session, Tensor } from '@shoal/core'
import { activationRange, max, min, ValueError } from '@shoal/core'

/** How activations are quantised: the integer q stands for scale · (q - zeroPoint). */
export interface Steps {
  readonly scale: number
  readonly zeroPoint: number
}

/** The least and the greatest value. */
export interface Range {
  readonly low: number
  readonly high: number
}

/** How a tensor's values become a range. */
export interface RangeOptions {
  /**
   * Which part of a batch's values (in percent, above 50) shall lie within the range; the rest is cut off at both ends alike. 100, the
   * default, takes the least and the greatest of all batches; less averages over batches, and gives rare large values up for finer steps.
   */
  readonly percentile?: number
}

/**
 * Runs batches and answers the range of each tensor.
 * @throws ValueError without batches or with empty ones only, for a percentile out of range, for values that are no finite numbers
 */
export async function rangesOf(
  tensors: readonly Tensor[],
  session: Session,
  batches: Iterable<Feeds> | AsyncIterable<Feeds>,
  { percentile = 100 }: RangeOptions = {},
): Promise<Range[]> {
  if (!(percentile > 50 && percentile <= 100))
    throw new ValueError(`percentile must be above 50 and at most 100, got ${percentile}`)
  const whole = percentile === 100
  const fetches = whole ? tensors.map((t) => [min(t), max(t)] as const) : tensors.map((t) => [t] as const)
  const seen: Range[][] = tensors.map(() => [])
  for await (const feeds of batches) {
    const values: readonly (readonly NDArray[])[] = await session.run(fetches, feeds)
    values.forEach(([first, last], i) => {
      const range = whole ? { low: first!.number(), high: last!.number() } : percentiles(first!, percentile)
      // Of no values the least is Infinity and the greatest -Infinity; they say nothing.
      if (!(range.low > range.high)) seen[i]!.push(range)
    })
  }
  return seen.map((ranges, i) => {
    if (ranges.length === 0)
      throw new ValueError('calibration needs at least one batch of feeds that is not empty')
    const range = whole ? union(ranges) : average(ranges)
    if (!Number.isFinite(range.low) || !Number.isFinite(range.high))
      throw new ValueError(`calibration met values of ${tensors[i]!.name} that are no finite numbers`)
    return range
  })
}

const union = (ranges: readonly Range[]): Range => ({
  low: Math.min(...ranges.map(({ low }) => low)),
  high: Math.max(...ranges.map(({ high }) => high)),
})

const average = (ranges: readonly Range[]): Range => {
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length
  return { low: mean(ranges.map(({ low }) => low)), high: mean(ranges.map(({ high }) => high)) }
}

function percentiles(values: NDArray, percentile: number): Range {
  const sorted = Float64Array.from(values.numbers()).sort()
  if (sorted.length === 0) return { low: Infinity, high: -Infinity }
  // NaN comes last, and must not be cut off.
  if (Number.isNaN(sorted.at(-1))) return { low: NaN, high: NaN }
  const cut = Math.floor((sorted.length * (100 - percentile)) / 200)
  return { low: sorted[cut]!, high: sorted[sorted.length - 1 - cut]! }
}

/** The finest steps that cover a range and hold 0 exactly, so that padding and what relu cuts off stay 0. */
export function stepsFor({ low, high }: Range): Steps {
  const [bottom, top] = [Math.min(0, low), Math.max(0, high)]
  const [least, greatest] = activationRange
  const scale = (top - bottom) / (greatest - least)
  return scale > 0
    ? { scale, zeroPoint: least + Math.round(-bottom / scale) }
    : { scale: 1, zeroPoint: least }
}
