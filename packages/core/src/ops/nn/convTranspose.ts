// Transposed convolution: the gradient of a convolution by its input, used as a layer that enlarges.
import { floats } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import type { Shape } from '../../shape.ts'
import { formatShape, mergeShapes } from '../../shape.ts'
import { sameDType } from '../elementwise.ts'
import { fill } from '../array/fill.ts'
import type { ConvAttrs } from './conv.ts'
import { conv, convAttrs, convBackpropFilter, convBackpropInput } from './conv.ts'
import { transposedSizes, windowCounts } from './window.ts'

const attrs = {
  ...convAttrs,
  outputSizes: attr.ints(
    'spatial sizes of the output; by default the usual ones: input · stride for SAME',
    undefined,
  ),
}

/**
 * The transpose of the convolution that takes [batch, ...outputSizes, out] to x [batch, ...spatial, in] with the filter [...spatial, out / groups, in]:
 * every element of x is spread over a window of the output.
 */
export const convTranspose = defineOp({
  name: 'ConvTranspose',
  doc: 'The transpose of a convolution: spreads every element of x [batch, ...spatial, in] over a window, with a filter [...spatial, out / groups, in].',
  inputs: ['x', 'filter'],
  dtypes: [floats, floats],
  attrs,
  infer: ([x, filter], given) => [
    { dtype: sameDType([x, filter]), shape: transposedShape(x.shape, filter.shape, given) },
  ],
  grad: ({ dy, inputs: [x, filter], attrs: { outputSizes: _, ...given } }): [Tensor, Tensor] => [
    conv(dy, filter, given),
    convBackpropFilter(dy, filter, x, given),
  ],
  body: {
    kind: 'composite',
    build: ([x, filter], { outputSizes, ...given }): Tensor => {
      const shape = transposedShape(x.shape, filter.shape, { outputSizes, ...given })
      return convBackpropInput(fill({ shape, dtype: x.dtype }), filter, x, given)
    },
  },
})

function transposedShape(
  x: Shape,
  filter: Shape,
  { outputSizes, ...given }: ConvAttrs & { readonly outputSizes: readonly number[] | undefined },
): Shape {
  if (x.length < 3 || x.length > 5 || filter.length !== x.length)
    throw new ShapeError(
      `x ${formatShape(x)} must be [batch, ...spatial, in] with 1 to 3 spatial axes, and the filter ${formatShape(filter)} [...spatial, out / groups, in] of the same rank`,
    )
  mergeShapes(
    [x.at(-1)!],
    [filter.at(-1)!],
    `x ${formatShape(x)} and the filter ${formatShape(filter)} disagree on the input channels, their last axes`,
  )
  const [spatial, taps] = [x.slice(1, -1), filter.slice(0, -2)]
  const sizes = outputSizes ?? transposedSizes(spatial, taps, given)
  if (outputSizes)
    mergeShapes(
      windowCounts(outputSizes, taps, given),
      spatial,
      `a convolution of outputSizes [${outputSizes}] does not have the sizes of x`,
    )
  const seen = filter.at(-2)!
  return [x[0]!, ...sizes, typeof seen === 'number' ? seen * given.groups : seen]
}
