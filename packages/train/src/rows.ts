// Gradients of single rows: rows that were read twice are added up before a rule sees them.
import type { Tensor } from '@shoal/core'
import {
  expandDims,
  fill,
  gather,
  greaterEqual,
  IndexedSlices,
  indexLike,
  less,
  logicalAnd,
  select,
  tensorScatter,
  zerosLike,
} from '@shoal/core'

const noPlace = 2 ** 31 - 1

/** For each index, the first place in the list that names the same row: [n] → int32 [n]; -1 for rows that do not exist. */
function firstPlaces({ indices, like }: IndexedSlices): Tensor {
  const rows = like.shape[0]!
  const places = indexLike(indices, { axis: 0, dtype: 'int32' })
  const empty = fill({ shape: [rows], value: noPlace, dtype: 'int32' })
  const first = tensorScatter(empty, expandDims(indices, { axis: 1 }), places, { update: 'min' })
  const exists = logicalAnd(greaterEqual(indices, 0), less(indices, rows as number))
  return select(exists, gather(first, indices), -1)
}

/** The same slices with the sum of equal rows at the first of them and zeros at the others, so that norms of them are right. */
export function mergeRows(slices: IndexedSlices): IndexedSlices {
  const places = expandDims(firstPlaces(slices), { axis: 1 })
  const sums = tensorScatter(zerosLike(slices.values), places, slices.values, { update: 'add' })
  return new IndexedSlices(sums, slices.indices, slices.like)
}

/** For each index the whole gradient of its row, [n, ...rest]: equal rows all get their sum. */
export function rowSums(slices: IndexedSlices): Tensor {
  return gather(mergeRows(slices).values, firstPlaces(slices))
}
