import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { absent } from './absent.ts'
import { arithmeticBehaviours } from './arithmetic.ts'
import { foldingBehaviours } from './folding.ts'
import { functionBehaviours } from './functions.ts'
import { sessionBehaviours } from './sessions.ts'
import { waitingBehaviours } from './waiting.ts'

const file = new URL('../../data/graph/pass_cases.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly { readonly id: number }[] }
const behaviours = [
  ...foldingBehaviours,
  ...arithmeticBehaviours,
  ...functionBehaviours,
  ...sessionBehaviours,
  ...waitingBehaviours,
]

describe('behaviours of passes', () => {
  it.each(behaviours.map((b) => [b.id, b.name, b] as const))('%i: %s', async (_id, _name, behaviour) => {
    await behaviour.check()
  })
  it('are each tested or known to be absent', () => {
    const known = [...behaviours.map((b) => b.id), ...Object.keys(absent).map(Number)]
    expect(known.toSorted((a, b) => a - b)).toEqual(cases.map((c) => c.id).toSorted((a, b) => a - b))
  })
})
