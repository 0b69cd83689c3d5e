// Every op that comes with Shoal, for whoever must find one by its name: serialisers, references, suites.
import type { AnyOp } from '../op.ts'
import * as named from './index.ts'

const isOp = (value: unknown): value is AnyOp =>
  value !== null && (typeof value === 'object' || typeof value === 'function') && 'def' in value

/** Every op that comes with Shoal, each once whatever its second names are. */
export const standardOps: readonly AnyOp[] = [
  ...new Map(
    Object.values(named)
      .flatMap((value: unknown) => (Array.isArray(value) ? (value as unknown[]) : [value]))
      .filter(isOp)
      .map((op) => [op.def.name, op]),
  ).values(),
]
