// Second names under which users of TensorFlow and NumPy look for ops.
import { floorMod } from './floorMod.ts'
import { neg } from './neg.ts'
import { round } from './round.ts'
import { truncMod } from './truncMod.ts'

/** @see round */
export const rint = round
/** @see floorMod */
export const mod = floorMod
/** @see truncMod: the remainder of C, with the sign of a. */
export const fmod = truncMod
/** @see neg */
export const negative = neg
