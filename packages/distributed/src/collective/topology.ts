// Who speaks to whom: every rank in a ring, and in a binary tree with rank 0 at its root.
import type { Link } from '../placement/machine.ts'

/** The rank that a rank receives from in the ring. */
export const before = (rank: number, size: number): number => (rank + size - 1) % size

/** The rank above one that is not 0. */
export const parentOf = (rank: number): number => (rank - 1) >> 1

/** The ranks below one: two, one or none. */
export const childrenOf = (rank: number, size: number): readonly number[] =>
  [2 * rank + 1, 2 * rank + 2].filter((child) => child < size)

/**
 * Up to how many bytes a sum among `size` members takes less time in the tree than in the ring. With latency a, bandwidth b and depth
 * d = ⌊log2 size⌋ the ring takes 2 (size − 1) (a + bytes / (size · b)) and the tree, where a member hears of two others at a time,
 * 2 d (a + 2 bytes / b).
 */
export function mostTreeBytes(size: number, { latencySeconds, bytesPerSecond }: Link): number {
  if (size < 3) return 0
  const depth = Math.floor(Math.log2(size))
  return (latencySeconds * bytesPerSecond * (size - 1 - depth)) / (2 * depth - (size - 1) / size)
}

/** A stretch of elements: from `start` up to `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** `parts` neighbouring ranges of about equal lengths, none of which differs from another by more than one element. */
export const split = ({ start, end }: Range, parts: number): readonly Range[] => {
  const at = (i: number): number => start + Math.floor((i * (end - start)) / parts)
  return Array.from({ length: parts }, (_, i) => ({ start: at(i), end: at(i + 1) }))
}

/** As few ranges as there can be of at most `most` elements; none for no elements. */
export const pieces = (range: Range, most: number): readonly Range[] =>
  split(range, Math.ceil((range.end - range.start) / most))
