// A smooth activation that is not monotone.
import { mul } from '../math/mul.ts'
import { softplus } from '../math/softplus.ts'
import { tanh } from '../math/tanh.ts'
import { activation } from './activation.ts'

/** x · tanh(softplus(x)). Misra, 2019. */
export const mish = activation({
  name: 'Mish',
  doc: 'x · tanh(softplus(x)).',
  build: (x) => mul(x, tanh(softplus(x))),
})
