// Eigenvalues and eigenvectors of symmetric matrices.
import type { Tensor } from '../../graph/graph.ts'
import type { GradContext } from '../../op.ts'
import { defineOp } from '../../op.ts'
import type { TensorLike } from '../constant.ts'
import { expandDims } from '../array/expandDims.ts'
import { add } from '../math/add.ts'
import { equal } from '../math/equal.ts'
import { mul } from '../math/mul.ts'
import { div } from '../math/div.ts'
import { select } from '../math/select.ts'
import { sub } from '../math/sub.ts'
import { matmul } from './matmul.ts'
import { realDTypes, squareShape } from './matrices.ts'
import { symmetrized } from './triangle.ts'

/**
 * The eigenvalues [..., n], ascending, and the eigenvectors, the columns of [..., n, n], of symmetric matrices [..., n, n]. Only the lower triangle is
 * read. The component of largest magnitude of each vector is positive. The gradient is that of the symmetrised input, and depends on the vectors only
 * where eigenvalues differ: it passes over pairs of equal ones.
 */
export const eigh = defineOp({
  name: 'Eigh',
  doc: 'Eigenvalues (ascending) and eigenvectors (columns) of symmetric matrices [..., n, n].',
  inputs: ['a'],
  dtypes: [realDTypes],
  outputs: ['values', 'vectors'],
  infer: ([a]) => {
    const { batch, n } = squareShape(a)
    return [{ dtype: a.dtype, shape: [...batch, n] }, a]
  },
  grad: (context: GradContext<readonly ['a']>): [Tensor | null] => [eighGrad(context)],
  body: { kind: 'kernel' },
})

/** The eigenvalues [..., n], ascending, of symmetric matrices [..., n, n]. */
export const eigvalsh = (a: TensorLike): Tensor => eigh(a)[0]

function eighGrad({ dys: [dw, dv], outputs }: GradContext<readonly ['a']>): Tensor | null {
  const [w, v] = outputs as [Tensor, Tensor]
  const parts: Tensor[] = []
  if (dw) parts.push(matmul(mul(v, expandDims(dw, { axis: -2 })), v, { transposeB: true }))
  if (dv) {
    const gaps = sub(expandDims(w, { axis: -2 }), expandDims(w, { axis: -1 }))
    const none = equal(gaps, 0)
    const inner = select(none, 0, div(matmul(v, dv, { transposeA: true }), select(none, 1, gaps)))
    parts.push(symmetrized(matmul(matmul(v, inner), v, { transposeB: true })))
  }
  return parts.length === 0 ? null : parts.reduce((x, y) => add(x, y))
}
