// Embeddings: rows of a table, one by one or combined in bags.
import { AttrError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { beside, scope } from '../../graph/scope.ts'
import type { Dim } from '../../shape.ts'
import { formatShape } from '../../shape.ts'
import { expandDims } from '../array/expandDims.ts'
import { fill, onesLike } from '../array/fill.ts'
import { gather } from '../array/gather.ts'
import { indexLike } from '../array/indexLike.ts'
import { tensorScatter } from '../array/tensorScatter.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { cast } from '../math/cast.ts'
import { divNoNan } from '../math/divNoNan.ts'
import { lessEqual } from '../math/lessEqual.ts'
import { mul } from '../math/mul.ts'
import { sqrt } from '../math/sqrt.ts'
import { square } from '../math/square.ts'
import { sub } from '../math/sub.ts'
import { sum } from '../reduce/sum.ts'
import { PartitionedVariable } from '../state/partitionedVariable.ts'

/**
 * Row ids[…] of `table` [rows, width] for each id: [...ids, width]. Rows are picked where the table is; of a partitioned variable, where each part
 * is, in which every part answers for all ids. The gradient is sparse: IndexedSlices, of each part by itself.
 */
export function embeddingLookup(table: TensorLike, ids: TensorLike): Tensor {
  if (table instanceof PartitionedVariable) return table.lookup(ids)
  return scope('embeddingLookup', () => {
    const rows = toTensor(table)
    return beside(rows, () => gather(rows, ids))
  })
}

/** Which bag each id belongs to, said in one of two ways, and how the rows of a bag are combined. */
export interface BagOptions {
  /** The bag of each id [n], from 0, with `bags` bags in all. */
  readonly segments?: TensorLike
  /** How many bags there are; required with `segments`. */
  readonly bags?: Dim
  /** Where in `ids` each bag begins, [bags], ascending from 0. */
  readonly offsets?: TensorLike
  /** A weight for each id [n]; default 1. */
  readonly weights?: TensorLike
  /** `sum`; `mean`: divided by the sum of the weights; `sqrtn`: divided by the square root of the sum of their squares. Default 'mean'. */
  readonly combiner?: 'sum' | 'mean' | 'sqrtn'
}

/**
 * The rows of `table` [rows, width] that `ids` [n] name, combined in bags: [bags, width]. Empty bags are 0.
 * @throws AttrError, ShapeError
 */
export function embeddingLookupSparse(
  table: TensorLike,
  ids: TensorLike,
  { weights, combiner = 'mean', ...bagging }: BagOptions,
): Tensor {
  return scope('embeddingLookupSparse', () => {
    const picks = toTensor(ids, 'int32')
    const rows = table instanceof PartitionedVariable ? table : toTensor(table)
    if (rows.shape.length !== 2 || picks.rank !== 1)
      throw new ShapeError(
        `embeddingLookupSparse: the table ${formatShape(rows.shape)} must be [rows, width], the ids ${formatShape(picks.shape)} [n]`,
      )
    const { bags, segments } = bagsOf(picks, bagging)
    const each = expandDims(
      weights === undefined ? cast(onesLike(picks), { to: rows.dtype }) : toTensor(weights, rows.dtype),
      { axis: -1 },
    )
    const total = (x: Tensor): Tensor =>
      tensorScatter(
        fill({ shape: [bags, x.shape[1]!], dtype: rows.dtype }),
        expandDims(segments, { axis: -1 }),
        x,
        { update: 'add' },
      )
    const found = embeddingLookup(rows, picks)
    const combined = total(weights === undefined ? found : mul(found, each))
    if (combiner === 'sum') return combined
    return divNoNan(combined, combiner === 'mean' ? total(each) : sqrt(total(square(each))))
  })
}

function bagsOf(ids: Tensor, { segments, bags, offsets }: BagOptions): { bags: Dim; segments: Tensor } {
  if (offsets !== undefined) {
    const starts = toTensor(offsets, 'int32')
    if (segments !== undefined || starts.rank !== 1)
      throw new AttrError('embeddingLookupSparse: give either offsets [bags] or segments with bags')
    // An id lies in the last bag that begins at or before it.
    const position = indexLike(ids, { dtype: starts.dtype === 'int64' ? 'int64' : 'int32' })
    const begun = cast(lessEqual(expandDims(starts, { axis: 1 }), expandDims(position, { axis: 0 })), {
      to: 'int32',
    })
    return { bags: starts.shape[0]!, segments: sub(sum(begun, { axes: [0] }), 1) }
  }
  if (segments === undefined || bags === undefined)
    throw new AttrError('embeddingLookupSparse: give either offsets [bags] or segments with bags')
  return { bags, segments: toTensor(segments, 'int32') }
}
