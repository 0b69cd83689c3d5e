// The passes that sessions run, in order.
import { constantFold } from './constantFold.ts'
import { cse } from './cse.ts'
import { deferSums } from './deferSums.ts'
import { dropShapeInputs } from './dropShapeInputs.ts'
import { expandComposites } from './expandComposites.ts'
import { removeIdentities } from './identity.ts'
import { inline } from './inline.ts'
import { keepValues } from './keepValues.ts'
import { layout } from './layout.ts'
import type { Pass } from './pass.ts'
import { pipeline, repeated } from './pass.ts'
import { prune } from './prune.ts'
import { regroup } from './regroup.ts'
import { simplify } from './simplify.ts'
import { trimBodies } from './trimBodies.ts'
import { trimScans } from './trimScans.ts'

/** What a graph must go through before it can be compiled: no calls, no composites, no inputs that lend only a shape. */
export const requiredPasses: readonly Pass[] = [inline, expandComposites, dropShapeInputs]

/** The passes that make a graph cheaper. They feed each other: what one leaves, another folds or merges. */
export const optimizingPasses: readonly Pass[] = [
  removeIdentities,
  simplify,
  constantFold,
  regroup,
  layout,
  cse,
  prune,
  trimBodies,
  keepValues,
  deferSums,
  trimScans,
]

/** All passes of a session that is not told otherwise. Composites are simplified as such before they are opened. */
export const standardPasses: Pass = pipeline(
  inline,
  removeIdentities,
  simplify,
  ...requiredPasses,
  repeated(optimizingPasses),
)

export {
  constantFold,
  cse,
  deferSums,
  dropShapeInputs,
  expandComposites,
  inline,
  keepValues,
  layout,
  prune,
  regroup,
  removeIdentities,
  simplify,
  trimBodies,
  trimScans,
}
export { removeDebug } from './debug.ts'
export { explainPasses } from './explain.ts'
export { checked, withDeadline } from './guard.ts'
export { recompute } from './recompute.ts'
export type { Footprint, RecomputeOptions } from './recompute.ts'
export { peakBytes, schedule } from './schedule.ts'
