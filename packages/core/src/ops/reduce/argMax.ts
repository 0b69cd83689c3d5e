// Where the greatest element is.
import { argExtreme } from './argExtreme.ts'
import { max } from './max.ts'

/** The index of the greatest element along an axis (default the first); the first one where several tie, or the first NaN. */
export const argMax = argExtreme({
  name: 'ArgMax',
  doc: 'The index of the greatest element along an axis; the first one where several tie, or the first NaN.',
  extreme: max,
})
