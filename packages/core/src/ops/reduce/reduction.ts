// Reductions over axes differ in how they combine; this maker states the rest once.
import type { DType } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Combine } from '../../ir/kernel.ts'
import type { GradContext, Op } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxes, reducedShape } from '../../shape.ts'

/** The attributes that every reduction has. */
export const reductionAttrs = {
  axes: attr.ints('the axes to reduce, negative ones counted from the end; all when left out', undefined),
  keepDims: attr.bool('keep the reduced axes with size 1', false),
}

interface ReductionSpec {
  readonly name: string
  readonly doc: string
  readonly dtypes: readonly DType[]
  readonly combine: Combine
  /** Left out: not differentiable. `axes` are normal: sorted and not negative. */
  readonly grad?: (context: { dy: Tensor; x: Tensor; y: Tensor; axes: readonly number[] }) => Tensor
}
type Attrs = typeof reductionAttrs

/** An op that combines the elements of one input over axes. */
export function reduction({
  name,
  doc,
  dtypes,
  combine,
  grad,
}: ReductionSpec): Op<readonly ['x'], Attrs, readonly ['y']> {
  return defineOp({
    name,
    doc,
    inputs: ['x'],
    dtypes: [dtypes],
    attrs: reductionAttrs,
    infer: ([x], { axes, keepDims }) => [
      { dtype: x.dtype, shape: reducedShape(x.shape, normalizeAxes(axes, x.shape.length), keepDims) },
    ],
    ...(grad && {
      grad: ({ dy, inputs: [x], outputs, attrs }: GradContext<readonly ['x'], Attrs>): [Tensor] => [
        grad({ dy, x, y: outputs[0]!, axes: normalizeAxes(attrs.axes, x.rank) }),
      ],
    }),
    body: { kind: 'reduce', combine, axes: ({ axes }, x) => normalizeAxes(axes, x.shape.length) },
  })
}
