// Numbers that are no comparison of one work: times to start, bytes, accuracies.
import type { Quartiles } from './statistics.ts'

/** Something measured. */
export interface Quantity {
  /** What targets ask for it by. */
  readonly name: string
  /** What stands beside it in the tables. */
  readonly title: string
  readonly unit: string
  readonly value: Quartiles
  /** The same of others, by name. */
  readonly peers?: ReadonlyMap<string, Quartiles>
}

/** A number that was measured once. */
export const exactly = (value: number): Quartiles => ({ median: value, lower: value, upper: value })
