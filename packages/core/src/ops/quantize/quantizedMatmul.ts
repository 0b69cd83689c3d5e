// The matrix product of small integers, exact on every machine.
import { ShapeError } from '../../errors.ts'
import { defineOp } from '../../op.ts'
import { compatible, formatShape } from '../../shape.ts'

/**
 * Multiplies activations by weights: x int8 [..., m, k] · weights int8 [n, k] → int32 [..., m, n]. A row of the weights makes one column of
 * the result: what is multiplied lies side by side in both.
 *
 * Activations are 0…127; what is less than 0 counts as 0. With seven bits on one side all machines agree on an instruction that multiplies
 * sixteen pairs at once; eight would be signed on some and unsigned on others. Weights are any int8. Sums are exact for k up to 132,104,
 * and wrap beyond. There is no gradient.
 */
export const quantizedMatmul = defineOp({
  name: 'QuantizedMatMul',
  doc: 'Multiplies activations 0…127 (less counts as 0) by int8 weights, exactly: x [..., m, k] · weights [n, k] → int32 [..., m, n].',
  inputs: ['x', 'weights'],
  dtypes: [['int8'], ['int8']],
  infer: ([x, weights]) => {
    const [n, k] = weights.shape
    if (weights.shape.length !== 2 || x.shape.length < 2 || !compatible(x.shape.at(-1)!, k!))
      throw new ShapeError(
        `needs x [..., m, k] and weights [n, k], got ${formatShape(x.shape)} and ${formatShape(weights.shape)}`,
      )
    return [{ dtype: 'int32', shape: [...x.shape.slice(0, -1), n!] }]
  },
  body: { kind: 'kernel' },
})
