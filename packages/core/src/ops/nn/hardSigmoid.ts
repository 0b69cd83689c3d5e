// Sigmoid and swish in straight pieces, for small machines.
import { add } from '../math/add.ts'
import { div } from '../math/div.ts'
import { mul } from '../math/mul.ts'
import { activation } from './activation.ts'
import { relu6 } from './relu6.ts'

/** relu6(x + 3) / 6. */
export const hardSigmoid = activation({
  name: 'HardSigmoid',
  doc: 'relu6(x + 3) / 6.',
  build: (x) => div(relu6(add(x, 3)), 6),
})
/** x · hardSigmoid(x). Howard et al., Searching for MobileNetV3, 2019. */
export const hardSwish = activation({
  name: 'HardSwish',
  doc: 'x · relu6(x + 3) / 6.',
  build: (x) => mul(x, hardSigmoid(x)),
})
