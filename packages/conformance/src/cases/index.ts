// All cases of all families: the one list that every device runs.
import type { OpCase } from '../case.ts'

/** Every case of Shoal's own. */
export const allCases: readonly OpCase[] = []

/** The names of all ops that a case stands for. */
export const caseNames = (): ReadonlySet<string> => new Set(allCases.flatMap((c) => c.ops))
