// Convolution over any number of spatial axes, channels last, and its two gradients; each of the three is differentiated by the other two.
import type { AttrsOf } from '../../attr.ts'
import { floats } from '../../dtype.ts'
import { AttrError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import type { ConcreteType, Shape, TensorType } from '../../shape.ts'
import { compatible, formatShape, mergeShapes, sizeOf } from '../../shape.ts'
import { sameDType } from '../elementwise.ts'
import { windowAttrs, windowCounts } from './window.ts'

/** The attributes of a convolution. */
export const convAttrs = {
  ...windowAttrs,
  groups: attr.int('channels are split into so many groups that do not see each other', 1),
}
/** The values of `convAttrs`. */
export type ConvAttrs = AttrsOf<typeof convAttrs>

/**
 * Cross-correlates x [batch, ...spatial, in] with filter [...spatial, in / groups, out] → [batch, ...spatial, out], with 1 to 3 spatial axes.
 * Output channels of group g see input channels of group g. Padding counts as zeros; what a weight that is infinite or NaN gives where a
 * window sees padding (NaN, as zero times it, or nothing) is not specified, nor is it in the gradients.
 */
export const conv = defineOp({
  name: 'Conv',
  doc: 'Convolution of x [batch, ...spatial, in] with a filter [...spatial, in / groups, out]. Padding counts as zeros; what a weight that is infinite or NaN gives where a window sees padding is not specified.',
  inputs: ['x', 'filter'],
  dtypes: [floats, floats],
  attrs: convAttrs,
  infer: ([x, filter], attrs) => [
    { dtype: sameDType([x, filter]), shape: convShape(x.shape, filter.shape, attrs) },
  ],
  grad: ({ dy, inputs: [x, filter], attrs }): [Tensor, Tensor] => [
    convBackpropInput(x, filter, dy, attrs),
    convBackpropFilter(x, filter, dy, attrs),
  ],
  body: { kind: 'kernel', flops: ([, filter], [y]) => convFlops(filter!, y!) },
})

/** The gradient of a convolution by its input, of which only the shape is used: spreads dy through the filter. */
export const convBackpropInput = defineOp({
  name: 'ConvBackpropInput',
  doc: 'The gradient of a convolution by its input, of which only the shape is used.',
  inputs: ['input', 'filter', 'dy'],
  dtypes: [floats, floats, floats],
  attrs: convAttrs,
  traits: { shapeOnly: (i) => i === 0 },
  infer: ([input, filter, dy], attrs) => [
    { dtype: gradientType(input, filter, dy, attrs), shape: input.shape },
  ],
  grad: ({ dy: g, inputs: [, filter, dy], attrs }): [null, Tensor, Tensor] => [
    null,
    convBackpropFilter(g, filter, dy, attrs),
    conv(g, filter, attrs),
  ],
  body: { kind: 'kernel', flops: ([, filter, dy]) => convFlops(filter!, dy!) },
})

/** The gradient of a convolution by its filter, of which only the shape is used: correlates x with dy. */
export const convBackpropFilter = defineOp({
  name: 'ConvBackpropFilter',
  doc: 'The gradient of a convolution by its filter, of which only the shape is used.',
  inputs: ['x', 'filter', 'dy'],
  dtypes: [floats, floats, floats],
  attrs: convAttrs,
  traits: { shapeOnly: (i) => i === 1 },
  infer: ([x, filter, dy], attrs) => [{ dtype: gradientType(x, filter, dy, attrs), shape: filter.shape }],
  grad: ({ dy: g, inputs: [x, , dy], attrs }): [Tensor, null, Tensor] => [
    convBackpropInput(x, g, dy, attrs),
    null,
    conv(x, g, attrs),
  ],
  body: { kind: 'kernel', flops: ([, filter, dy]) => convFlops(filter!, dy!) },
})

function convShape(x: Shape, filter: Shape, attrs: ConvAttrs): Shape {
  if (x.length < 3 || x.length > 5 || filter.length !== x.length)
    throw new ShapeError(
      `x ${formatShape(x)} must be [batch, ...spatial, channels] with 1 to 3 spatial axes, and the filter ${formatShape(filter)} [...spatial, in / groups, out] of the same rank`,
    )
  const { groups } = attrs
  const [channels, seen, out] = [x.at(-1)!, filter.at(-2)!, filter.at(-1)!]
  if (groups < 1 || (typeof out === 'number' && out % groups !== 0))
    throw new AttrError(
      `groups ${groups} must divide the ${out} output channels of the filter ${formatShape(filter)}`,
    )
  if (typeof seen === 'number' && !compatible(channels, seen * groups))
    throw new ShapeError(
      `x ${formatShape(x)} has ${channels} channels, the filter ${formatShape(filter)} takes ${seen}${groups > 1 ? ` in each of ${groups} groups` : ''}`,
    )
  return [x[0]!, ...windowCounts(x.slice(1, -1), filter.slice(0, -2), attrs), out]
}

function gradientType(x: TensorType, filter: TensorType, dy: TensorType, attrs: ConvAttrs) {
  mergeShapes(
    convShape(x.shape, filter.shape, attrs),
    dy.shape,
    'dy does not have the shape of the convolution',
  )
  return sameDType([x, filter, dy])
}

/** Every output element meets the whole filter of its channel, borders included. */
const convFlops = (filter: ConcreteType, y: ConcreteType): number =>
  (2 * sizeOf(y.shape) * sizeOf(filter.shape)) / filter.shape.at(-1)!
