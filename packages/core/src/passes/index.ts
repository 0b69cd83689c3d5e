// The passes that every session runs, in order.
import { dropShapeInputs } from './dropShapeInputs.ts'
import { inline } from './inline.ts'
import { expandComposites } from './expandComposites.ts'
import type { Pass } from './pass.ts'
import { pipeline } from './pass.ts'

/** What a graph must go through before it can be compiled: no calls, no composites, no inputs that lend only a shape. */
export const requiredPasses: readonly Pass[] = [inline, expandComposites, dropShapeInputs]
/** All passes of a session that is not told otherwise. */
export const standardPasses: Pass = pipeline(...requiredPasses)
