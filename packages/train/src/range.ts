// Options that must lie within bounds.
import { AttrError } from '@shoal/core'

/** @throws AttrError unless the number is at least `least` and below `bound`. */
export function demandRange(what: string, value: number, least: number, bound: number = Infinity): void {
  if (value >= least && value < bound) return
  const above = least === Number.MIN_VALUE ? 'above 0' : `at least ${least}`
  throw new AttrError(
    `${what} is ${value}; it must be ${above} and ${bound === Infinity ? 'finite' : `below ${bound}`}`,
  )
}
