// Matrix multiplication.
import { numerics } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import type { TensorType } from '../../shape.ts'
import { broadcastShapes, compatible, formatShape, sizeOf } from '../../shape.ts'
import { sameDType } from '../elementwise.ts'
import { sumTo } from '../reduce/sumLike.ts'

/** Multiplies matrices: [..., m, k] × [..., k, n] → [..., m, n]; leading axes are batches and broadcast. */
export const matmul = defineOp({
  name: 'MatMul',
  doc: 'Multiplies matrices: [..., m, k] × [..., k, n] → [..., m, n]; leading axes are batches and broadcast.',
  inputs: ['a', 'b'],
  dtypes: [numerics, numerics],
  attrs: {
    transposeA: attr.bool('use a transposed in its last two axes', false),
    transposeB: attr.bool('use b transposed in its last two axes', false),
  },
  infer: ([a, b], attrs) => [matmulType(a, b, attrs)],
  grad({ dy, inputs: [a, b], attrs: { transposeA: ta, transposeB: tb } }): [Tensor, Tensor] {
    const da = ta ? matmul(b, dy, { transposeA: tb, transposeB: true }) : matmul(dy, b, { transposeB: !tb })
    const db = tb ? matmul(dy, a, { transposeA: true, transposeB: ta }) : matmul(a, dy, { transposeA: !ta })
    return [sumTo(da, a), sumTo(db, b)]
  },
  body: {
    kind: 'kernel',
    flops: ([a], [product], { transposeA }) =>
      2 * sizeOf(product!.shape) * a!.shape.at(transposeA ? -2 : -1)!,
  },
})

function matmulType(
  a: TensorType,
  b: TensorType,
  attrs: { transposeA: boolean; transposeB: boolean },
): TensorType {
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new ShapeError(
      `needs matrices, got ${formatShape(a.shape)} × ${formatShape(b.shape)}: reshape vectors to [1, n] or [n, 1]`,
    )
  const [m, inner] = ends(a, attrs.transposeA)
  const [inner2, n] = ends(b, attrs.transposeB)
  if (!compatible(inner, inner2))
    throw new ShapeError(
      `inner sizes ${inner} and ${inner2} differ, ${formatShape(a.shape)}${attrs.transposeA ? 'ᵀ' : ''} × ${formatShape(b.shape)}${attrs.transposeB ? 'ᵀ' : ''}`,
    )
  return {
    dtype: sameDType([a, b]),
    shape: [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), m, n],
  }
}

function ends({ shape }: TensorType, transpose: boolean) {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!]
  return transpose ? ([columns, rows] as const) : ([rows, columns] as const)
}
