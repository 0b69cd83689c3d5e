// Convolution of small integers, exact on every machine.
import { AttrError, ShapeError } from '../../errors.ts'
import { attr, defineOp } from '../../op.ts'
import type { AttrsOf } from '../../attr.ts'
import type { Shape } from '../../shape.ts'
import { compatible, formatShape } from '../../shape.ts'
import { convAttrs } from '../nn/conv.ts'
import { windowCounts } from '../nn/window.ts'
import { demandActivation } from './activation.ts'

const quantizedConvAttrs = {
  ...convAttrs,
  zeroPoint: attr.int('what the padding holds: the integer that stands for 0, within 0…127', 0),
}
/** The values of the attributes of `quantizedConv`. */
export type QuantizedConvAttrs = AttrsOf<typeof quantizedConvAttrs>

/**
 * Cross-correlates x int8 [batch, ...spatial, in] with filter int8 [out, ...spatial, in / groups] → int32 [batch, ...spatial, out], with 1 to 3
 * spatial axes. The filter's output channels come first: what one of them multiplies lies side by side. Activations are 0…127, and what is
 * less than 0 counts as 0, as in `quantizedMatmul`; beside x lies `zeroPoint`. There is no gradient.
 * @throws ShapeError, AttrError
 */
export const quantizedConv = defineOp({
  name: 'QuantizedConv',
  doc: 'Convolution of activations 0…127 (less counts as 0) with an int8 filter [out, ...spatial, in / groups], exactly, into int32.',
  inputs: ['x', 'filter'],
  dtypes: [['int8'], ['int8']],
  attrs: quantizedConvAttrs,
  infer: ([x, filter], attrs) => [{ dtype: 'int32', shape: convShape(x.shape, filter.shape, attrs) }],
  body: { kind: 'kernel' },
})

function convShape(x: Shape, filter: Shape, attrs: QuantizedConvAttrs): Shape {
  demandActivation(attrs.zeroPoint)
  if (x.length < 3 || x.length > 5 || filter.length !== x.length)
    throw new ShapeError(
      `x ${formatShape(x)} must be [batch, ...spatial, channels] with 1 to 3 spatial axes, and the filter ${formatShape(filter)} [out, ...spatial, in / groups] of the same rank`,
    )
  const { groups } = attrs
  const [channels, seen, out] = [x.at(-1)!, filter.at(-1)!, filter[0]!]
  if (groups < 1 || (typeof out === 'number' && out % groups !== 0))
    throw new AttrError(
      `groups ${groups} must divide the ${out} output channels of the filter ${formatShape(filter)}`,
    )
  if (typeof seen === 'number' && !compatible(channels, seen * groups))
    throw new ShapeError(
      `x ${formatShape(x)} has ${channels} channels, the filter ${formatShape(filter)} takes ${seen}${groups > 1 ? ` in each of ${groups} groups` : ''}`,
    )
  return [x[0]!, ...windowCounts(x.slice(1, -1), filter.slice(1, -1), attrs), out]
}
