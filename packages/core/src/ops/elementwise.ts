// Element-wise ops differ in a few facts; these makers state the rest once.
import type { DType } from '../dtype.ts'
import { floats, numerics } from '../dtype.ts'
import { DTypeError } from '../errors.ts'
import type { Tensor } from '../graph/graph.ts'
import type { Expr } from '../ir/expr.ts'
import type { GradContext, Op, Traits } from '../op.ts'
import { defineOp } from '../op.ts'
import type { TensorType } from '../shape.ts'
import { broadcastShapes } from '../shape.ts'
import { sumTo } from './reduce/sumLike.ts'

/** The type of an element-wise result: one dtype, broadcast shapes. @throws DTypeError, ShapeError */
export function elementwiseType(inputs: readonly TensorType[], dtype: DType = sameDType(inputs)): TensorType {
  return { dtype, shape: inputs.map((t) => t.shape).reduce(broadcastShapes, []) }
}

/** The dtype that all inputs share. @throws DTypeError when they do not. */
export function sameDType(inputs: readonly TensorType[]): DType {
  const [first, ...rest] = inputs
  const other = rest.find((t) => t.dtype !== first!.dtype)
  if (other)
    throw new DTypeError(
      `inputs are ${first!.dtype} and ${other.dtype}; there is no implicit conversion: cast one of them`,
    )
  return first!.dtype
}

interface UnaryGrad {
  readonly dy: Tensor
  readonly x: Tensor
  /** The op's output. */
  readonly y: Tensor
}
interface UnarySpec {
  readonly name: string
  readonly doc: string
  /** Default: floats. */
  readonly dtypes?: readonly DType[]
  /** Default: that of x. */
  readonly result?: DType
  readonly traits?: Traits
  readonly expr: (x: Expr) => Expr
  /** Left out: not differentiable. `null`: zero everywhere (steps, signs). */
  readonly grad?: ((context: UnaryGrad) => Tensor) | null
}

/** An element-wise op of one input. */
export function unary({
  name,
  doc,
  dtypes = floats,
  result,
  traits = {},
  expr,
  grad,
}: UnarySpec): Op<readonly ['x'], {}, readonly ['y']> {
  return defineOp({
    name,
    doc,
    inputs: ['x'],
    dtypes: [dtypes],
    traits,
    infer: ([x]) => [{ dtype: result ?? x.dtype, shape: x.shape }],
    ...(grad === undefined
      ? {}
      : {
          grad: ({ dy, inputs: [x], outputs }: GradContext<readonly ['x'], {}>): [Tensor | null] => [
            grad && grad({ dy, x, y: outputs[0]! }),
          ],
        }),
    body: { kind: 'scalar', expr: ([x]) => expr(x) },
  })
}

interface BinaryGrad {
  readonly dy: Tensor
  readonly a: Tensor
  readonly b: Tensor
  /** The op's output. */
  readonly y: Tensor
}
interface BinarySpec {
  readonly name: string
  readonly doc: string
  /** Default: all numbers. */
  readonly dtypes?: readonly DType[]
  /** Default: that of the inputs. */
  readonly result?: DType
  readonly traits?: Traits
  readonly expr: (a: Expr, b: Expr) => Expr
  /** Gradients in the broadcast shape; they are summed down to a and b. Left out: not differentiable. `null`: zero everywhere. */
  readonly grad?: ((context: BinaryGrad) => readonly [Tensor | null, Tensor | null]) | null
}

/** An element-wise op of two inputs of one dtype, with broadcasting. */
export function binary({
  name,
  doc,
  dtypes = numerics,
  result,
  traits = {},
  expr,
  grad,
}: BinarySpec): Op<readonly ['a', 'b'], {}, readonly ['y']> {
  return defineOp({
    name,
    doc,
    inputs: ['a', 'b'],
    dtypes: [dtypes, dtypes],
    traits,
    infer: ([a, b]) => [elementwiseType([a, b], result ?? sameDType([a, b]))],
    ...(grad === undefined
      ? {}
      : {
          grad: ({
            dy,
            inputs: [a, b],
            outputs,
          }: GradContext<readonly ['a', 'b'], {}>): [Tensor | null, Tensor | null] => {
            if (grad === null) return [null, null]
            const [da, db] = grad({ dy, a, b, y: outputs[0]! })
            return [da && sumTo(da, a), db && sumTo(db, b)]
          },
        }),
    body: { kind: 'scalar', expr: ([a, b]) => expr(a, b) },
  })
}
