// A check of everything that a model's file says, so that a flipped bit is not taken for knowledge.
import type { NDArray } from '@shoal/core'
import { crc32c } from '@shoal/data'

/** The CRC-32C, in hexadecimal, of texts by name and values by name, in whatever order they are given. */
export function checksum(
  texts: Readonly<Record<string, string>>,
  values: ReadonlyMap<string, NDArray>,
): string {
  const facts = [
    Object.entries(texts).sort(byName),
    [...values].sort(byName).map(([name, { dtype, shape, bytes }]) => [name, dtype, shape, crc32c(bytes)]),
  ]
  return crc32c(new TextEncoder().encode(JSON.stringify(facts)))
    .toString(16)
    .padStart(8, '0')
}

// By code units, which is the same everywhere; no two names are equal.
const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)
