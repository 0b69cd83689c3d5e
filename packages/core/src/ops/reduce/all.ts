// Logical conjunction over axes.
import { reduction } from './reduction.ts'

/** Are all elements true over axes, all of them by default? Over nothing: true. */
export const all = reduction({
  name: 'All',
  doc: 'Are all elements true over axes, all of them by default? Over nothing: true.',
  dtypes: ['bool'],
  combine: 'min',
})
