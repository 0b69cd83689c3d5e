// Where the least element is.
import { argExtreme } from './argExtreme.ts'
import { min } from './min.ts'

/** The index of the least element along an axis (default the first); the first one where several tie, or the first NaN. */
export const argMin = argExtreme({
  name: 'ArgMin',
  doc: 'The index of the least element along an axis; the first one where several tie, or the first NaN.',
  extreme: min,
})
