// Chance that comes out the same for the same seed.
import { threefry } from '@shoal/core'

/** Numbers from 0 to below 1. */
export function randomNumbers(seed: number): () => number {
  let count = 0
  return () => (threefry([seed, 0], [count++, 0])[0]! >>> 0) / 2 ** 32
}
