// Kernels that move slices to and from places that indices name; elements are copied as they are, never converted.
import { getElement, setElement } from '../../ndarray.ts'
import type { Scalar, TypedArray } from '../../dtype.ts'
import { dtypes } from '../../dtype.ts'
import type { ConcreteType, Size } from '../../shape.ts'
import { sizeOf, stridesOf } from '../../shape.ts'
import type { ReferenceKernels } from '../kernel.ts'

/** GatherNd, TensorScatter: slices by index tuples, in row-major order of the tuples. */
export const scatterKernels: ReferenceKernels = {
  GatherNd([x, indices], [out], { inputs: [xType, indexType] }) {
    const { count, width, offset } = slices(xType!, indexType!, indices!)
    for (let n = 0; n < count; n++) {
      const from = offset(n)
      if (from === undefined) clear(out!, n * width, width)
      else copy(x!, from, out!, n * width, width)
    }
  },

  TensorScatter([x, indices, updates], [out], { inputs: [xType, indexType], attrs }) {
    if (out !== x) copy(x!, 0, out!, 0, x!.length)
    const { count, width, offset } = slices(xType!, indexType!, indices!)
    const { kind, bytes } = dtypes[xType!.dtype]
    // Products of integers wrap, which those of float64 do not beyond 2^53.
    const wraps = attrs['update'] === 'mul' && kind !== 'float' && bytes < 8
    const change = wraps ? Math.imul : changes[attrs['update'] as string]
    for (let n = 0; n < count; n++) {
      const to = offset(n)
      if (to === undefined) continue
      if (!change) copy(updates!, n * width, out!, to, width)
      else
        for (let i = 0; i < width; i++) {
          const [old, update] = [
            getElement(xType!.dtype, out!, to + i),
            getElement(xType!.dtype, updates!, n * width + i),
          ]
          setElement(xType!.dtype, out!, to + i, change(old as number, update as number))
        }
    }
  },
}

const changes: Readonly<Record<string, ((old: number, update: number) => Scalar) | undefined>> = {
  add: (old, update) => old + update,
  sub: (old, update) => old - update,
  mul: (old, update) => old * update,
  min: (old, update) => (update < old || update !== update ? update : old),
  max: (old, update) => (update > old || update !== update ? update : old),
}

/** Copies elements whatever their type is. */
export function copy(from: TypedArray, start: number, to: TypedArray, at: number, count: number): void {
  to.set(from.subarray(start, start + count) as never, at)
}

/** Sets elements to zero whatever their type is. */
export function clear(data: TypedArray, at: number, count: number): void {
  const { BYTES_PER_ELEMENT: bytes } = data
  new Uint8Array(data.buffer, data.byteOffset + at * bytes, count * bytes).fill(0)
}

/** The index tuples [...n, depth] into x: how many there are, how many elements each names, and where those begin; undefined out of range. */
function slices({ shape }: ConcreteType, { shape: indexShape }: ConcreteType, indices: TypedArray) {
  const depth = indexShape.at(-1)!
  const strides: Size = stridesOf(shape)
  const offset = (n: number): number | undefined => {
    let flat = 0
    for (let d = 0; d < depth; d++) {
      const i = Number(indices[n * depth + d]!)
      if (!(i >= 0 && i < shape[d]!)) return undefined
      flat += i * strides[d]!
    }
    return flat
  }
  return { count: sizeOf(indexShape.slice(0, -1)), width: sizeOf(shape.slice(depth)), offset }
}
