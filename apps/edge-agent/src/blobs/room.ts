// Who has to go when room is needed: whoever was not used for the longest time, and nobody in vain.

/** Something that may be dropped. */
export interface Droppable {
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly usedAt: number
}

/** Those to drop so that so many bytes get free, the least recently used first; undefined where all of them together are not enough. */
export function dropped<T extends Droppable>(bytes: number, from: readonly T[]): readonly T[] | undefined {
  const chosen: T[] = []
  let left = bytes
  for (const one of from.toSorted((a, b) => a.usedAt - b.usedAt)) {
    if (left <= 0) break
    chosen.push(one)
    left -= one.bytes
  }
  return left <= 0 ? chosen : undefined
}
