// Segment reductions over ids in ascending order, whose number is that of the last id and one more.
import type { Tensor } from '../../graph/graph.ts'
import type { TensorLike } from '../constant.ts'
import {
  unsortedSegmentMax,
  unsortedSegmentMean,
  unsortedSegmentMin,
  unsortedSegmentProd,
  unsortedSegmentSum,
} from './segment.ts'

/** Sums of the elements of x in each group, as many as the greatest id and one. @see unsortedSegmentSum */
export const segmentSum = (x: TensorLike, ids: TensorLike): Tensor => unsortedSegmentSum(x, ids)
/** Means of the elements of x in each group, as many as the greatest id and one. @see unsortedSegmentMean */
export const segmentMean = (x: TensorLike, ids: TensorLike): Tensor => unsortedSegmentMean(x, ids)
/** Products of the elements of x in each group, as many as the greatest id and one. @see unsortedSegmentProd */
export const segmentProd = (x: TensorLike, ids: TensorLike): Tensor => unsortedSegmentProd(x, ids)
/** The greatest element of x in each group, as many as the greatest id and one. @see unsortedSegmentMax */
export const segmentMax = (x: TensorLike, ids: TensorLike): Tensor => unsortedSegmentMax(x, ids)
/** The least element of x in each group, as many as the greatest id and one. @see unsortedSegmentMin */
export const segmentMin = (x: TensorLike, ids: TensorLike): Tensor => unsortedSegmentMin(x, ids)
