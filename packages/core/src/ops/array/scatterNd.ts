// Slices put into zeros.
import type { Tensor } from '../../graph/graph.ts'
import type { Shape } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { fill } from './fill.ts'
import { tensorScatter } from './tensorScatter.ts'

/** Zeros of a shape with `updates` [...n, ...rest] added to the slices that `indices` [...n, depth] name; slices named twice get both. */
export function scatterNd(
  indices: TensorLike,
  updates: TensorLike,
  { shape }: { readonly shape: Shape },
): Tensor {
  const values = toTensor(updates)
  return tensorScatter(fill({ shape, dtype: values.dtype }), indices, values, { update: 'add' })
}
