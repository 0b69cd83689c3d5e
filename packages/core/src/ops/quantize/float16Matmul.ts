// The matrix product with weights that are stored in half the bytes.
import { ShapeError } from '../../errors.ts'
import { defineOp } from '../../op.ts'
import { compatible, formatShape } from '../../shape.ts'

/**
 * Multiplies by weights in float16, which are widened as they are read: x float32 [..., m, k] · weights float16 [n, k] → float32 [..., m, n].
 * A row of the weights makes one column of the result. Sums are float32. For inference: there is no gradient.
 * @throws ShapeError when sizes do not fit.
 */
export const float16Matmul = defineOp({
  name: 'Float16MatMul',
  doc: 'Multiplies by weights in float16, widened as they are read: x float32 [..., m, k] · weights [n, k] → float32 [..., m, n].',
  inputs: ['x', 'weights'],
  dtypes: [['float32'], ['float16']],
  infer: ([x, weights]) => {
    const [n, k] = weights.shape
    if (weights.shape.length !== 2 || x.shape.length < 2 || !compatible(x.shape.at(-1)!, k!))
      throw new ShapeError(
        `needs x [..., m, k] and weights [n, k], got ${formatShape(x.shape)} and ${formatShape(weights.shape)}`,
      )
    return [{ dtype: 'float32', shape: [...x.shape.slice(0, -1), n!] }]
  },
  body: { kind: 'kernel' },
})
