// What makes the reference device the definition: its answers are right, whatever is known of sizes, and gradients are derivatives.
import { describe, it } from 'vitest'
import type { OpCase } from './case.ts'
import { caseName } from './case.ts'
import { checkDefinition } from './caseChecks.ts'

/** Registers, for each case: the ops that it names are there, sizes may be names, and gradients agree with differences in float64. */
export function definitionSuite(cases: readonly OpCase[]): void {
  describe('definitions', () => {
    it.each(cases.map((opcase) => [caseName(opcase), opcase] as const))('%s', (_, opcase) =>
      checkDefinition(opcase),
    )
  })
}
