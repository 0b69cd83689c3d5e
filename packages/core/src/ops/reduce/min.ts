// The least element over axes.
import { numerics } from '../../dtype.ts'
import { extremeGrad } from './extremeGrad.ts'
import { reduction } from './reduction.ts'

/** The least element of x over axes, all of them by default; NaN if one is. Over nothing: Infinity, or the greatest integer. */
export const min = reduction({
  name: 'Min',
  doc: 'The least element of x over axes, all of them by default; NaN if one is. Over nothing: Infinity, or the greatest integer.',
  dtypes: numerics,
  combine: 'min',
  grad: extremeGrad,
})
