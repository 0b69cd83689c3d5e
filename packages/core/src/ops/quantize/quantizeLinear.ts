// Numbers as small integers: the integer q stands for scale · (q - zeroPoint).
import { floats } from '../../dtype.ts'
import { AttrError } from '../../errors.ts'
import { attr, defineOp } from '../../op.ts'
import { add } from '../math/add.ts'
import { cast } from '../math/cast.ts'
import { clip } from '../math/clip.ts'
import { mul } from '../math/mul.ts'
import { round } from '../math/round.ts'
import { activationRange, demandActivation } from './activation.ts'

/**
 * x as int8 activations: round(x / scale) + zeroPoint, halves to the even neighbour, kept within 0…127. Of the same shape; NaN counts as 0.
 * x is multiplied by 1 / scale in its own dtype. There is no gradient.
 * @throws AttrError for a scale that is not positive, or a zero point that is no activation.
 */
export const quantizeLinear = defineOp({
  name: 'QuantizeLinear',
  doc: 'Floats as int8 activations: round(x / scale) + zeroPoint, kept within 0…127.',
  inputs: ['x'],
  dtypes: [floats],
  attrs: {
    scale: attr.float('what a step of one stands for'),
    zeroPoint: attr.int('the integer that stands for 0, within 0…127', 0),
  },
  infer: ([x], { scale, zeroPoint }) => {
    if (!(scale > 0 && Number.isFinite(1 / scale)))
      throw new AttrError(`scale must be a positive number, got ${scale}`)
    demandActivation(zeroPoint)
    return [{ dtype: 'int8', shape: x.shape }]
  },
  body: {
    kind: 'composite',
    build: ([x], { scale, zeroPoint }) => {
      const [least, greatest] = activationRange
      // Whole numbers are kept within bounds by fewer instructions than floats, for which NaN is to be thought of.
      const steps = cast(round(mul(x, 1 / scale)), { to: 'int32' })
      const bounds = { min: least - zeroPoint, max: greatest - zeroPoint }
      return cast(add(clip(steps, bounds), zeroPoint), { to: 'int8' })
    },
  },
})
