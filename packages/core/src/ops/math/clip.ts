// Values kept within bounds.
import { numerics } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Expr } from '../../ir/expr.ts'
import { E } from '../../ir/expr.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import type { TensorLike } from '../constant.ts'
import { greaterEqual } from './greaterEqual.ts'
import { lessEqual } from './lessEqual.ts'
import { logicalAnd } from './logicalAnd.ts'
import { maximum } from './maximum.ts'
import { minimum } from './minimum.ts'
import { select } from './select.ts'

const attributes = {
  min: attr.float('the least value; no bound when left out', undefined),
  max: attr.float('the greatest value; no bound when left out', undefined),
}

/** x, but `min` where it is less and `max` where it is greater. The gradient passes where min ≤ x ≤ max. */
export const clip = defineOp({
  name: 'Clip',
  doc: 'x, but min where it is less and max where it is greater; the gradient passes between the bounds and on them.',
  inputs: ['x'],
  dtypes: [numerics],
  attrs: attributes,
  infer: ([x]) => [x],
  grad: ({
    dy,
    inputs: [x],
    attrs: { min, max },
  }: GradContext<readonly ['x'], typeof attributes>): [Tensor] => {
    const tests = [
      ...(min === undefined ? [] : [greaterEqual(x, min)]),
      ...(max === undefined ? [] : [lessEqual(x, max)]),
    ]
    return [
      tests.length === 0
        ? dy
        : select(
            tests.reduce((a, b) => logicalAnd(a, b)),
            dy,
            0,
          ),
    ]
  },
  body: {
    kind: 'scalar',
    expr([x], { min, max }): Expr {
      const raised = min === undefined ? x : E.max(x, E.num(min, x.dtype))
      return max === undefined ? raised : E.min(raised, E.num(max, x.dtype))
    },
  },
})

/** `clip` with bounds that are numbers or tensors, which broadcast. */
export const clipByValue = (x: TensorLike, low: TensorLike, high: TensorLike): Tensor =>
  typeof low === 'number' && typeof high === 'number'
    ? clip(x, { min: low, max: high })
    : minimum(maximum(x, low), high)
