// Reductions that are made of other ops; this maker states the rest once.
import type { DType } from '../../dtype.ts'
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { GradContext, Op } from '../../op.ts'
import { defineOp } from '../../op.ts'
import { normalizeAxes, reducedShape } from '../../shape.ts'
import { reductionAttrs } from './reduction.ts'

interface Over {
  /** Sorted and not negative. */
  readonly axes: readonly number[]
  readonly keepDims: boolean
}
interface CompositeReductionSpec {
  readonly name: string
  readonly doc: string
  /** Default: floats. */
  readonly dtypes?: readonly DType[]
  /** Default: that of x. */
  readonly result?: DType
  readonly build: (x: Tensor, over: Over) => Tensor
  /** Left out: not differentiable. */
  readonly grad?: (context: { dy: Tensor; x: Tensor; y: Tensor; axes: readonly number[] }) => Tensor
}
type Attrs = typeof reductionAttrs

/** An op that reduces one input over axes by means of other ops. */
export function compositeReduction({
  name,
  doc,
  dtypes = floats,
  result,
  build,
  grad,
}: CompositeReductionSpec): Op<readonly ['x'], Attrs, readonly ['y']> {
  return defineOp({
    name,
    doc,
    inputs: ['x'],
    dtypes: [dtypes],
    attrs: reductionAttrs,
    infer: ([x], { axes, keepDims }) => [
      {
        dtype: result ?? x.dtype,
        shape: reducedShape(x.shape, normalizeAxes(axes, x.shape.length), keepDims),
      },
    ],
    grad: ({ dy, inputs: [x], outputs, attrs }: GradContext<readonly ['x'], Attrs>): [Tensor | null] => [
      grad ? grad({ dy, x, y: outputs[0]!, axes: normalizeAxes(attrs.axes, x.rank) }) : null,
    ],
    body: {
      kind: 'composite',
      build: ([x], { axes, keepDims }): Tensor => build(x, { axes: normalizeAxes(axes, x.rank), keepDims }),
    },
  })
}
