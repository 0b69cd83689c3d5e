// Sums of gradients that may be rows of a tensor.
import type { Tensor } from '../graph/graph.ts'
import type { Gradient } from '../op.ts'
import { zerosLike } from '../ops/array/fill.ts'
import { concat } from '../ops/array/concat.ts'
import { tensorScatter } from '../ops/array/tensorScatter.ts'
import { reshape } from '../ops/array/reshape.ts'
import { IndexedSlices } from './indexedSlices.ts'

/** The whole tensor that a gradient stands for. */
export function densify(g: Gradient): Tensor {
  if (!(g instanceof IndexedSlices)) return g
  const rows = reshape(g.indices, { shape: [-1, 1] })
  return tensorScatter(zerosLike(g.like), rows, g.values, { update: 'add' })
}

/** Both sets of rows. */
export const joinSlices = (a: IndexedSlices, b: IndexedSlices): IndexedSlices =>
  new IndexedSlices(
    concat([a.values, b.values], { axis: 0 }),
    concat([a.indices, b.indices], { axis: 0 }),
    a.like,
  )
