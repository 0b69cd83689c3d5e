// Logical disjunction over axes.
import { reduction } from './reduction.ts'

/** Is any element true over axes, all of them by default? Over nothing: false. */
export const any = reduction({
  name: 'Any',
  doc: 'Is any element true over axes, all of them by default? Over nothing: false.',
  dtypes: ['bool'],
  combine: 'max',
})
