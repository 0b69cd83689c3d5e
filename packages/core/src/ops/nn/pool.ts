// Pooling over any number of spatial axes, channels last: what kernels do, and how they are differentiated to any order.
import type { AttrsOf } from '../../attr.ts'
import { floats } from '../../dtype.ts'
import { AttrError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import type { Shape, TensorType } from '../../shape.ts'
import { formatShape, mergeShapes } from '../../shape.ts'
import { sameDType } from '../elementwise.ts'
import { windowAttrs, windowCounts } from './window.ts'

/** The attributes of a pooling. */
const poolAttrs = { size: attr.ints('the size of the window, per spatial axis'), ...windowAttrs }
/** The values of `poolAttrs`. */
export type PoolAttrs = AttrsOf<typeof poolAttrs>

/** The greatest element of every window over x [batch, ...spatial, channels]; padding never wins. */
export const maxPoolOp = defineOp({
  name: 'MaxPool',
  doc: 'The greatest element of every window over x [batch, ...spatial, channels]; padding never wins.',
  inputs: ['x'],
  dtypes: [floats],
  attrs: poolAttrs,
  infer: ([x], attrs) => [{ dtype: x.dtype, shape: poolShape(x.shape, attrs) }],
  grad: ({ dy, inputs: [x], attrs }): [Tensor] => [maxPoolGrad(x, dy, attrs)],
  body: { kind: 'kernel' },
})

/** Gives dy of every window to its first greatest element: the gradient of MaxPool at x. */
export const maxPoolGrad = defineOp({
  name: 'MaxPoolGrad',
  doc: 'Gives dy of every window to its first greatest element: the gradient of MaxPool at x.',
  inputs: ['x', 'dy'],
  dtypes: [floats, floats],
  attrs: poolAttrs,
  infer: ([x, dy], attrs) => [{ dtype: gradientType(x, dy, attrs), shape: x.shape }],
  grad: ({ dy: g, inputs: [x], attrs }): [null, Tensor] => [null, maxPoolGradGrad(x, g, attrs)],
  body: { kind: 'kernel' },
})

/** Of every window the element of g where x has its first greatest: the gradient of MaxPoolGrad by dy. */
export const maxPoolGradGrad = defineOp({
  name: 'MaxPoolGradGrad',
  doc: 'Of every window the element of g where x has its first greatest: the gradient of MaxPoolGrad by dy.',
  inputs: ['x', 'g'],
  dtypes: [floats, floats],
  attrs: poolAttrs,
  infer: ([x, g], attrs) => {
    mergeShapes(x.shape, g.shape, 'x and g differ')
    return [{ dtype: sameDType([x, g]), shape: poolShape(x.shape, attrs) }]
  },
  grad: ({ dy, inputs: [x], attrs }): [null, Tensor] => [null, maxPoolGrad(x, dy, attrs)],
  body: { kind: 'kernel' },
})

/** The mean of every window over x [batch, ...spatial, channels]; padding does not count. */
export const avgPoolOp = defineOp({
  name: 'AvgPool',
  doc: 'The mean of every window over x [batch, ...spatial, channels]; padding does not count.',
  inputs: ['x'],
  dtypes: [floats],
  attrs: poolAttrs,
  infer: ([x], attrs) => [{ dtype: x.dtype, shape: poolShape(x.shape, attrs) }],
  grad: ({ dy, inputs: [x], attrs }): [Tensor] => [avgPoolGrad(x, dy, attrs)],
  body: { kind: 'kernel' },
})

/** Spreads dy of every window evenly over its elements: the gradient of AvgPool by an input of which only the shape is used. */
export const avgPoolGrad = defineOp({
  name: 'AvgPoolGrad',
  doc: 'Spreads dy of every window evenly over its elements: the gradient of AvgPool by an input of which only the shape is used.',
  inputs: ['x', 'dy'],
  dtypes: [floats, floats],
  attrs: poolAttrs,
  traits: { shapeOnly: (i) => i === 0 },
  infer: ([x, dy], attrs) => [{ dtype: gradientType(x, dy, attrs), shape: x.shape }],
  grad: ({ dy: g, attrs }): [null, Tensor] => [null, avgPoolOp(g, attrs)],
  body: { kind: 'kernel' },
})

function poolShape(x: Shape, attrs: PoolAttrs): Shape {
  if (x.length < 3 || x.length > 5)
    throw new ShapeError(`x ${formatShape(x)} must be [batch, ...spatial, channels] with 1 to 3 spatial axes`)
  if (attrs.size.length !== x.length - 2 || attrs.size.some((n) => n < 1))
    throw new AttrError(
      `size [${attrs.size}] must be ${x.length - 2} positive numbers, one for each spatial axis of ${formatShape(x)}`,
    )
  return [x[0]!, ...windowCounts(x.slice(1, -1), attrs.size, attrs), x.at(-1)!]
}

function gradientType(x: TensorType, dy: TensorType, attrs: PoolAttrs) {
  mergeShapes(poolShape(x.shape, attrs), dy.shape, 'dy does not have the shape of the pooling')
  return sameDType([x, dy])
}
