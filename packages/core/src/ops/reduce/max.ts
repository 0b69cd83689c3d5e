// The greatest element over axes.
import { numerics } from '../../dtype.ts'
import { extremeGrad } from './extremeGrad.ts'
import { reduction } from './reduction.ts'

/** The greatest element of x over axes, all of them by default; NaN if one is. Over nothing: -Infinity, or the least integer. */
export const max = reduction({
  name: 'Max',
  doc: 'The greatest element of x over axes, all of them by default; NaN if one is. Over nothing: -Infinity, or the least integer.',
  dtypes: numerics,
  combine: 'max',
  grad: extremeGrad,
})
