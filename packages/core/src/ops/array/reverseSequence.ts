// Sequences of different lengths, the other way round.
import type { Tensor } from '../../graph/graph.ts'
import { normalizeAxis } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { less } from '../math/less.ts'
import { select } from '../math/select.ts'
import { sub } from '../math/sub.ts'
import { cast } from '../math/cast.ts'
import { takeAlongAxis } from './alongAxis.ts'
import { indexLike } from './indexLike.ts'
import { reshape } from './reshape.ts'

/**
 * x with the first `lengths[b]` elements along `seqAxis` of each batch entry b reversed, and the rest left as it is.
 * @param lengths [batch], int32 or int64
 * @param options.seqAxis default 1
 * @param options.batchAxis default 0
 */
export function reverseSequence(
  x: TensorLike,
  lengths: TensorLike,
  { seqAxis = 1, batchAxis = 0 }: { readonly seqAxis?: number; readonly batchAxis?: number } = {},
): Tensor {
  const values = toTensor(x)
  const batch = normalizeAxis(batchAxis, values.rank)
  const counts = cast(toTensor(lengths, 'int32'), { to: 'int32' })
  const length = reshape(counts, { shape: values.shape.map((_, i) => (i === batch ? -1 : 1)) })
  const index = indexLike(values, { axis: seqAxis })
  return takeAlongAxis(values, select(less(index, length), sub(sub(length, 1), index), index), {
    axis: seqAxis,
  })
}
