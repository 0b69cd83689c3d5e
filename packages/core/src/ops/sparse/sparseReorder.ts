// Stored elements put in order, and those of one place made one.
import { numerics } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { allocate } from '../../dtype.ts'
import { getElement, NDArray, setElement } from '../../ndarray.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import { mergeShapes, unknown } from '../../shape.ts'
import { concat } from '../array/concat.ts'
import { expandDims } from '../array/expandDims.ts'
import { gatherNd } from '../array/gatherNd.ts'
import { SparseTensor } from './sparseTensor.ts'

const attributes = { merge: attr.bool('add up the elements of one place', false) }

const sparseSortOp = defineOp({
  name: 'SparseSort',
  doc: 'The elements of a sparse tensor in row-major order, on request with those of one place added up; and where each element went.',
  inputs: ['indices', 'values'],
  dtypes: [['int32', 'int64'], numerics],
  attrs: attributes,
  outputs: ['indices', 'values', 'slots'],
  infer: ([indices, values], { merge }) => {
    const count = merge ? unknown : values.shape[0]!
    return [
      { dtype: indices.dtype, shape: [count, indices.shape[1]!] },
      { dtype: values.dtype, shape: [count] },
      { dtype: 'int32', shape: values.shape },
    ]
  },
  grad: ({
    dys: [, dvalues],
    outputs,
  }: GradContext<readonly ['indices', 'values'], typeof attributes>): [null, Tensor | null] => [
    null,
    dvalues ? gatherNd(dvalues, expandDims(outputs[2]!, { axis: -1 })) : null,
  ],
  body: {
    kind: 'runtime',
    role: 'host',
    run: ([indices, values], { merge }) => sortElements(indices!, values!, merge),
  },
})

function sortElements(indices: NDArray, values: NDArray, merge: boolean): NDArray[] {
  const [count, rank] = indices.shape as [number, number]
  const flat = indices.numbers()
  const at = (i: number): readonly number[] => flat.slice(i * rank, (i + 1) * rank)
  const compare = (a: readonly number[], b: readonly number[]): number => {
    const axis = a.findIndex((x, k) => x !== b[k])
    return axis < 0 ? 0 : a[axis]! - b[axis]!
  }
  const rows = Array.from({ length: count }, (_, i) => ({ from: i, index: at(i) })).sort((a, b) =>
    compare(a.index, b.index),
  )
  const slots = new Int32Array(count)
  const kept: (readonly number[])[] = []
  for (const { from, index } of rows) {
    const last = kept.at(-1)
    if (!merge || !last || compare(last, index) !== 0) kept.push(index)
    slots[from] = kept.length - 1
  }
  const { dtype } = values
  const sums = allocate(dtype, kept.length)
  slots.forEach((slot, i) => {
    const [old, value] = [getElement(dtype, sums, slot), getElement(dtype, values.data, i)]
    setElement(
      dtype,
      sums,
      slot,
      typeof value === 'bigint' ? value + (old as bigint) : (value as number) + (old as number),
    )
  })
  const places = allocate(indices.dtype, kept.length * rank)
  kept.flat().forEach((x, i) => setElement(indices.dtype, places, i, x))
  return [
    new NDArray(indices.dtype, [kept.length, rank], places),
    new NDArray(dtype, [kept.length], sums),
    new NDArray('int32', [count], slots),
  ]
}

/** The definition behind `sparseReorder` and `sparseCoalesce`. */
export const sparseSortDef = { def: sparseSortOp.def }

/** The same elements in row-major order. */
export function sparseReorder(x: SparseTensor): SparseTensor {
  const [indices, values] = sparseSortOp(x.indices, x.values)
  return new SparseTensor(indices, values, x.denseShape, x.shape)
}

/** The same tensor with each place stored once, in row-major order; elements of one place are added up. */
export function sparseCoalesce(x: SparseTensor): SparseTensor {
  const [indices, values] = sparseSortOp(x.indices, x.values, { merge: true })
  return new SparseTensor(indices, values, x.denseShape, x.shape)
}

/** a + b for sparse tensors of one shape; each place is stored once, in row-major order. @throws ShapeError when the shapes differ. */
export function sparseAdd(a: SparseTensor, b: SparseTensor): SparseTensor {
  if (a.rank !== b.rank) throw new ShapeError(`sparseAdd: ranks ${a.rank} and ${b.rank} differ`)
  const shape = mergeShapes(a.shape, b.shape, 'sparseAdd: shapes differ')
  const joined = new SparseTensor(
    concat([a.indices, b.indices]),
    concat([a.values, b.values]),
    a.denseShape,
    shape,
  )
  return sparseCoalesce(joined)
}
