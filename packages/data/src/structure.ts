// Elements are trees of tuples and records with values at the leaves; batching stacks them leaf by leaf.
import type { DType, Scalar } from '@shoal/core'
import {
  allocate,
  DTypeError,
  formatShape,
  formatType,
  NDArray,
  ndarray,
  ShapeError,
  sizeOf,
} from '@shoal/core'

/** What `batch` makes of an element: every leaf gains a first axis. Numbers become float32, the rest their own dtype. */
export type Batched<T> =
  T extends NDArray<infer D>
    ? NDArray<D>
    : T extends number
      ? NDArray<'float32'>
      : T extends bigint
        ? NDArray<'int64'>
        : T extends boolean
          ? NDArray<'bool'>
          : T extends string
            ? NDArray<'string'>
            : T extends ArrayBufferView
              ? never
              : T extends object
                ? { [K in keyof T]: Batched<T[K]> }
                : never

/** What is left of a tree of NDArrays when one index of the first axis is taken. */
export type Sliced<T> =
  T extends NDArray<infer D> ? NDArray<D> : T extends object ? { [K in keyof T]: Sliced<T[K]> } : never

/** A tree of NDArrays: one, or tuples and records of them. */
export type Tensors = NDArray | readonly Tensors[] | { readonly [name: string]: Tensors }

/**
 * Stacks elements of equal structure along a new first axis.
 * @throws ShapeError when shapes or structures differ, DTypeError when dtypes differ or a leaf cannot be stacked.
 */
export function stack(elements: readonly unknown[], path = 'element'): unknown {
  const first = elements[0]
  if (first instanceof NDArray) return stackArrays(elements, first, path)
  if (typeof first !== 'object' || first === null) return stackScalars(elements, path)
  if (ArrayBuffer.isView(first))
    throw new DTypeError(`cannot batch ${path}: map the bytes to an NDArray first`)
  const keys = Object.keys(first)
  elements.forEach((element, i) => {
    if (element instanceof NDArray || !sameKeys(element, keys))
      throw new ShapeError(
        `cannot batch ${path}: element ${i} has not the parts ${keys.join(', ')} of element 0`,
      )
  })
  const part = (key: string) =>
    stack(
      elements.map((element) => (element as Record<string, unknown>)[key]),
      `${path}.${key}`,
    )
  return Array.isArray(first) ? keys.map(part) : Object.fromEntries(keys.map((key) => [key, part(key)]))
}

function stackArrays(elements: readonly unknown[], first: NDArray, path: string): NDArray {
  const out = allocate(first.dtype, elements.length * first.size)
  elements.forEach((element, i) => {
    if (!(element instanceof NDArray))
      throw new ShapeError(`cannot batch ${path}: element ${i} is not an NDArray as element 0 is`)
    if (element.dtype !== first.dtype)
      throw new DTypeError(
        `cannot batch ${path}: element ${i} is ${formatType(element)}, element 0 is ${formatType(first)}`,
      )
    if (formatShape(element.shape) !== formatShape(first.shape))
      throw new ShapeError(
        `cannot batch ${path}: element ${i} is ${formatType(element)}, element 0 is ${formatType(first)}; pad or crop them`,
      )
    put(out, element.data, i * first.size)
  })
  return new NDArray(first.dtype, [elements.length, ...first.shape], out)
}

function put(out: NDArray['data'], data: NDArray['data'], offset: number): void {
  if (Array.isArray(out)) (data as string[]).forEach((text, i) => (out[offset + i] = text))
  else (out as Uint8Array).set(data as Uint8Array, offset)
}

function stackScalars(elements: readonly unknown[], path: string): NDArray {
  const kind = typeof elements[0]
  if (kind !== 'number' && kind !== 'bigint' && kind !== 'boolean' && kind !== 'string')
    throw new DTypeError(
      `cannot batch ${path}: ${String(elements[0])} is no NDArray, number, bigint, boolean or string`,
    )
  const odd = elements.findIndex((element) => typeof element !== kind)
  if (odd >= 0)
    throw new DTypeError(
      `cannot batch ${path}: element ${odd} is a ${typeof elements[odd]}, element 0 a ${kind}`,
    )
  return ndarray(elements as readonly Scalar[])
}

function sameKeys(value: unknown, keys: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.keys(value).length === keys.length && keys.every((key) => Object.hasOwn(value, key))
}

/** The common length of the first axes. @throws ShapeError when they differ or there is none. */
export function lengthOf(tensors: Tensors): number {
  const leaves = leavesOf(tensors, 'tensor')
  const [first] = leaves
  if (!first) throw new ShapeError('no NDArray to take slices of')
  for (const { path, array } of leaves) {
    if (array.rank === 0) throw new ShapeError(`${path} is a scalar: it has no first axis to slice along`)
    if (array.shape[0] !== first.array.shape[0])
      throw new ShapeError(`${path} has ${array.shape[0]} rows, ${first.path} has ${first.array.shape[0]}`)
  }
  return first.array.shape[0]!
}

function leavesOf(tensors: Tensors, path: string): { path: string; array: NDArray }[] {
  if (tensors instanceof NDArray) return [{ path, array: tensors }]
  if (typeof tensors !== 'object' || tensors === null || ArrayBuffer.isView(tensors))
    throw new DTypeError(`${path} is not an NDArray: make one with ndarray(…)`)
  return Object.entries(tensors).flatMap(([key, part]) => leavesOf(part as Tensors, `${path}.${key}`))
}

/** Row `index` of every leaf, sharing memory with the whole. */
export function slice(tensors: Tensors, index: number): Tensors {
  if (tensors instanceof NDArray) return row(tensors, index)
  if (Array.isArray(tensors)) return tensors.map((part: Tensors) => slice(part, index))
  return Object.fromEntries(
    Object.entries(tensors).map(([key, part]) => [key, slice(part as Tensors, index)]),
  )
}

function row<D extends DType>(array: NDArray<D>, index: number): NDArray<D> {
  const shape = array.shape.slice(1)
  const size = sizeOf(shape)
  const [begin, end] = [index * size, (index + 1) * size]
  const { data } = array as NDArray
  const part = Array.isArray(data) ? data.slice(begin, end) : data.subarray(begin, end)
  return new NDArray(array.dtype, shape, part as NDArray<D>['data'])
}
