import { it } from 'vitest'
import { functionBehaviours } from './functions.ts'
import { sessionBehaviours } from './sessions.ts'
for (const b of [...functionBehaviours, ...sessionBehaviours]) it(`${b.id} ${b.name}`, () => b.check())
