// What is fed, brought to the dtype and shape that its tensor declares.
import type { DType, TypedArray } from '../dtype.ts'
import { allocate } from '../dtype.ts'
import { DTypeError, ShapeError, ValueError } from '../errors.ts'
import { Tensor } from '../graph/graph.ts'
import type { Nested } from '../ndarray.ts'
import { NDArray, ndarray } from '../ndarray.ts'
import { formatShape, isConcrete } from '../shape.ts'

/** A value to feed: an array, a typed array in row-major order, or nested JavaScript arrays. */
export type FeedValue = NDArray | TypedArray | Nested
/** Feeds by tensor, or by name. Any tensor of the graph can be fed; what made it does not run then. */
export type Feeds = Iterable<readonly [Tensor, FeedValue]> | { readonly [name: string]: FeedValue }

/**
 * Feeds as arrays that fit their tensors, older tensors first, whatever order they are given in.
 * @param tensorOf finds a tensor by its name.
 * @throws NotFoundError, DTypeError, ShapeError, ValueError
 */
export function resolveFeeds(feeds: Feeds, tensorOf: (name: string) => Tensor): Map<Tensor, NDArray> {
  const entries: Iterable<readonly [Tensor, FeedValue]> =
    Symbol.iterator in feeds
      ? (feeds as Iterable<readonly [Tensor, FeedValue]>)
      : Object.entries(feeds).map(([name, value]) => [tensorOf(name), value] as const)
  const resolved: [Tensor, NDArray][] = []
  for (const [tensor, value] of entries) {
    if (!(tensor instanceof Tensor))
      throw new ValueError('feeds are pairs of a tensor and a value, or a record of values by name')
    resolved.push([tensor, toArray(tensor, value)])
  }
  return new Map(resolved.sort(([a], [b]) => a.node.id - b.node.id || a.index - b.index))
}

const arrayTypes = new Map<DType, Function>()

/** The constructor of the arrays that hold a dtype. */
function arrayTypeOf(dtype: DType): Function {
  let type = arrayTypes.get(dtype)
  if (!type) arrayTypes.set(dtype, (type = allocate(dtype, 0).constructor))
  return type
}

function toArray(tensor: Tensor, value: FeedValue): NDArray {
  if (value instanceof NDArray) return value
  if (!ArrayBuffer.isView(value)) return fromPlain(tensor, value)
  const expected = arrayTypeOf(tensor.dtype)
  if (value.constructor !== expected)
    throw new DTypeError(
      `is ${tensor.dtype}, which is held in a ${expected.name}; fed with a ${value.constructor.name}`,
      { node: tensor.node },
    )
  return new NDArray(tensor.dtype, shapeFor(tensor, value.length), value as never)
}

function fromPlain(tensor: Tensor, value: Nested): NDArray {
  const given: unknown = value
  const remedy =
    given instanceof Tensor
      ? 'a tensor: feed its value'
      : given instanceof Promise
        ? 'a promise: await it'
        : given === undefined || given === null
          ? String(given)
          : undefined
  if (remedy) throw new ValueError(`was fed ${remedy}`, { node: tensor.node })
  try {
    return ndarray(value, tensor.dtype)
  } catch (error) {
    throw new ValueError((error as Error).message, { node: tensor.node, cause: error })
  }
}

/** The shape that a flat array of `length` elements has for a tensor with at most one size open. */
function shapeFor(tensor: Tensor, length: number): readonly number[] {
  if (isConcrete(tensor.shape)) return tensor.shape
  const open = tensor.shape.filter((d) => typeof d === 'string')
  const rest = tensor.shape.reduce<number>((p, d) => (typeof d === 'number' ? p * d : p), 1)
  if (open.length > 1 || rest === 0 || length % rest !== 0)
    throw new ShapeError(
      `a flat array of ${length} elements does not say what shape ${formatShape(tensor.shape)} has: feed an NDArray`,
      { node: tensor.node },
    )
  return tensor.shape.map((d) => (typeof d === 'number' ? d : length / rest))
}
