// Determinants, as they are and as sign and logarithm.
import type { Tensor } from '../../graph/graph.ts'
import { defineOp } from '../../op.ts'
import { expandDims } from '../array/expandDims.ts'
import { exp } from '../math/exp.ts'
import { mul } from '../math/mul.ts'
import { inverse } from './inverse.ts'
import { realDTypes, squareShape } from './matrices.ts'
import { transposed } from './triangle.ts'

const matrixAxes = (x: Tensor): Tensor => expandDims(expandDims(x, { axis: -1 }), { axis: -1 })

/** The sign (-1, 0 or 1) and the logarithm of the magnitude of the determinant of square matrices [..., n, n]: each [...]. */
export const logDeterminant = defineOp({
  name: 'LogDeterminant',
  doc: 'The sign and the logarithm of the magnitude of the determinant of square matrices.',
  inputs: ['a'],
  dtypes: [realDTypes],
  outputs: ['sign', 'log'],
  infer: ([a]) => {
    const type = { dtype: a.dtype, shape: squareShape(a).batch }
    return [type, type]
  },
  grad: ({ dys: [, dlog], inputs: [a] }): [Tensor | null] => [
    dlog ? mul(matrixAxes(dlog), transposed(inverse(a))) : null,
  ],
  body: { kind: 'kernel' },
})

/** The determinant of square matrices [..., n, n]: [...]. Its gradient exists where the matrix is not singular. */
export const determinant = defineOp({
  name: 'Determinant',
  doc: 'The determinant of square matrices [..., n, n]: [...].',
  inputs: ['a'],
  dtypes: [realDTypes],
  infer: ([a]) => [{ dtype: a.dtype, shape: squareShape(a).batch }],
  grad: ({ dy, inputs: [a], outputs: [y] }): [Tensor] => [
    mul(matrixAxes(mul(dy, y!)), transposed(inverse(a))),
  ],
  body: {
    kind: 'composite',
    build: ([a]): Tensor => {
      const [sign, log] = logDeterminant(a)
      return mul(sign, exp(log))
    },
  },
})
