// The sigmoid-weighted linear unit, also known as swish.
import { mul } from '../math/mul.ts'
import { sigmoid } from '../math/sigmoid.ts'
import { activation } from './activation.ts'

/** x · sigmoid(x). */
export const silu = activation({
  name: 'Silu',
  doc: 'x · sigmoid(x), also known as swish.',
  build: (x) => mul(x, sigmoid(x)),
})
/** @see silu */
export const swish = silu
