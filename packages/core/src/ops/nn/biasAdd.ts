// A bias for each channel.
import type { Tensor } from '../../graph/graph.ts'
import { ShapeError } from '../../errors.ts'
import { compatible, formatShape } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { add } from '../math/add.ts'

/** x [..., channels] + bias [channels]. @throws ShapeError when bias is not a vector of that size. */
export function biasAdd(x: TensorLike, bias: TensorLike): Tensor {
  const values = toTensor(x)
  const b = toTensor(bias, values.dtype)
  if (b.rank !== 1 || values.rank === 0 || !compatible(values.shape.at(-1)!, b.shape[0]!))
    throw new ShapeError(
      `biasAdd: the bias ${formatShape(b.shape)} must be a vector as long as the last axis of x ${formatShape(values.shape)}`,
    )
  return add(values, b)
}
