// No fault at all: what the others are held against is reached when nothing happens.
import { type Fault, survive } from '../survive.ts'

/** A training in peace. */
export const nothing: Fault = {
  name: 'nothing',
  about: 'nobody is disturbed',
  inShort: false,
  run: (scale) => survive({ scale, steps: 500, async strike() {} }),
}
