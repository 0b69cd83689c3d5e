// Sparse tensors: the indices and values of the elements that are not zero, as ordinary tensors.
import type { DType } from '../../dtype.ts'
import { DTypeError, ShapeError } from '../../errors.ts'
import { Tensor } from '../../graph/graph.ts'
import type { NDArray } from '../../ndarray.ts'
import { ndarray } from '../../ndarray.ts'
import type { Shape, Size } from '../../shape.ts'
import { formatShape, formatType, mergeDim, unknown } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { constant, toTensor } from '../constant.ts'

/**
 * A tensor of which only some elements are stored; all others are zero. Fetch its three parts to get its value.
 * Elements stored twice count as their sum; `sparseReorder` puts elements in row-major order.
 */
export class SparseTensor {
  /** [n, rank], int64 or int32: where each stored element is. */
  readonly indices: Tensor
  /** [n] */
  readonly values: Tensor
  /** [rank], int64: the sizes of the whole, as a tensor, since they may depend on data. */
  readonly denseShape: Tensor
  /** The sizes of the whole, as far as they are known while the graph is built. */
  readonly shape: Shape

  /**
   * @param denseShape the sizes; or, when they depend on data, an int64 tensor of them.
   * @param shape what is known of the sizes; default: `denseShape` where it is plain numbers, otherwise unknown.
   * @throws ShapeError, DTypeError when the parts do not belong together.
   */
  constructor(indices: TensorLike, values: TensorLike, denseShape: Size | Tensor, shape?: Shape) {
    this.indices = toTensor(indices, 'int64')
    this.values = toTensor(values)
    this.denseShape =
      denseShape instanceof Tensor
        ? denseShape
        : constant(ndarray(denseShape.map(BigInt), 'int64', [denseShape.length]))
    this.shape = shape ?? (denseShape instanceof Tensor ? unknownSizes(denseShape) : denseShape)
    check(this)
  }
  /** The element type. */
  get dtype(): DType {
    return this.values.dtype
  }
  /** The number of axes. */
  get rank(): number {
    return this.shape.length
  }
  /** The same places with other values: [n]. */
  withValues(values: Tensor): SparseTensor {
    return new SparseTensor(this.indices, values, this.denseShape, this.shape)
  }
}

/** The parts of a sparse value on the host, as feeds and fetches hold them. */
export interface SparseValue {
  readonly indices: NDArray
  readonly values: NDArray
  readonly denseShape: NDArray
}

function unknownSizes({ type }: Tensor): Shape {
  const [rank] = type.shape
  if (type.shape.length !== 1 || typeof rank !== 'number')
    throw new ShapeError(`denseShape must be a vector of known length, got ${formatType(type)}`)
  return new Array<string>(rank).fill(unknown)
}

function check({ indices, values, denseShape, shape }: SparseTensor): void {
  if (indices.dtype !== 'int64' && indices.dtype !== 'int32')
    throw new DTypeError(`indices of a sparse tensor are int64 or int32, got ${indices.dtype}: cast them`)
  if (indices.rank !== 2 || values.rank !== 1)
    throw new ShapeError(
      `a sparse tensor has indices [n, rank] and values [n], got ${formatShape(indices.shape)} and ${formatShape(values.shape)}`,
    )
  mergeDim(indices.shape[0]!, values.shape[0]!, 'the numbers of indices and values differ')
  mergeDim(indices.shape[1]!, shape.length, 'indices have another number of axes than the dense shape')
  if (denseShape.rank !== 1)
    throw new ShapeError(`denseShape must be a vector, got ${formatType(denseShape.type)}`)
}
