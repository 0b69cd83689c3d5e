// The gradient of a gather: only the rows that were read, so that a large embedding table is never filled with zeros.
import type { Tensor } from '../graph/graph.ts'
import type { Shape } from '../shape.ts'

/** Rows of a tensor along axis 0: row `indices[i]` gets `values[i]`; rows named twice are added up, all others are zero. */
export class IndexedSlices {
  /** [n, ...rest] */
  readonly values: Tensor
  /** [n], int32 or int64 */
  readonly indices: Tensor
  /** A tensor of the shape that the slices stand for; lends only its shape. */
  readonly like: Tensor
  constructor(values: Tensor, indices: Tensor, like: Tensor) {
    this.values = values
    this.indices = indices
    this.like = like
  }
  /** The shape of the whole. */
  get shape(): Shape {
    return this.like.shape
  }
}
