// Boxes cut out of sparse tensors.
import { AttrError } from '../../errors.ts'
import { allocate, fixedSize } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { getElement, NDArray, setElement } from '../../ndarray.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import { unknown } from '../../shape.ts'
import { zerosLike } from '../array/fill.ts'
import { tensorScatter } from '../array/tensorScatter.ts'
import { SparseTensor } from './sparseTensor.ts'

const attributes = {
  begin: attr.ints('the index of the first element, per axis'),
  size: attr.ints('how many elements, per axis'),
}

const sparseSliceOp = defineOp({
  name: 'SparseSlice',
  doc: 'The elements of a sparse tensor that lie in a box, with indices counted from its corner; and which elements they were.',
  inputs: ['indices', 'values'],
  dtypes: [
    ['int32', 'int64'],
    [...fixedSize, 'string'],
  ],
  attrs: attributes,
  outputs: ['indices', 'values', 'kept'],
  infer: ([indices, values]) => [
    { dtype: indices.dtype, shape: [unknown, indices.shape[1]!] },
    { dtype: values.dtype, shape: [unknown] },
    { dtype: 'int32', shape: [unknown, 1] },
  ],
  grad: ({
    dys: [, dvalues],
    inputs: [, values],
    outputs,
  }: GradContext<readonly ['indices', 'values'], typeof attributes>): [null, Tensor | null] => [
    null,
    dvalues ? tensorScatter(zerosLike(values), outputs[2]!, dvalues, { update: 'add' }) : null,
  ],
  body: {
    kind: 'runtime',
    role: 'host',
    run([indices, values], { begin, size }) {
      const rank = begin.length
      const flat = indices!.numbers()
      const inside = (i: number): boolean =>
        begin.every(
          (first, axis) => flat[i * rank + axis]! >= first && flat[i * rank + axis]! < first + size[axis]!,
        )
      const kept = Array.from({ length: values!.size }, (_, i) => i).filter(inside)
      const places = allocate(indices!.dtype, kept.length * rank)
      kept.forEach((from, i) =>
        begin.forEach((first, axis) =>
          setElement(indices!.dtype, places, i * rank + axis, flat[from * rank + axis]! - first),
        ),
      )
      const { dtype } = values!
      const chosen = allocate(dtype, kept.length)
      kept.forEach((from, i) => setElement(dtype, chosen, i, getElement(dtype, values!.data, from)))
      return [
        new NDArray(indices!.dtype, [kept.length, rank], places),
        new NDArray(dtype, [kept.length], chosen),
        new NDArray('int32', [kept.length, 1], Int32Array.from(kept)),
      ]
    },
  },
})

/** The definition behind `sparseSlice`. */
export const sparseSliceDef = { def: sparseSliceOp.def }

/** The box of `size` that begins at `begin`. @throws AttrError when they do not name every axis, or are negative. */
export function sparseSlice(
  x: SparseTensor,
  { begin, size }: { readonly begin: readonly number[]; readonly size: readonly number[] },
): SparseTensor {
  if (
    begin.length !== x.rank ||
    size.length !== x.rank ||
    [...begin, ...size].some((d) => !Number.isInteger(d) || d < 0)
  )
    throw new AttrError(
      `sparseSlice: begin [${begin}] and size [${size}] need one whole number that is not negative for each of ${x.rank} axes`,
    )
  const [indices, values] = sparseSliceOp(x.indices, x.values, { begin, size })
  return new SparseTensor(indices, values, size)
}
