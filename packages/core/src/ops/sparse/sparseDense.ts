// Between sparse and dense tensors.
import { fixedSize } from '../../dtype.ts'
import { RunError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { getElement, NDArray, setElement } from '../../ndarray.ts'
import { allocate } from '../../dtype.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import { sizeOf, stridesOf, unknown } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { fill, zerosLike } from '../array/fill.ts'
import { gatherNd } from '../array/gatherNd.ts'
import { tensorScatter } from '../array/tensorScatter.ts'
import { SparseTensor } from './sparseTensor.ts'

const fromDenseOp = defineOp({
  name: 'SparseFromDense',
  doc: 'The elements of x that are not zero, with their indices in row-major order, and the sizes of x.',
  inputs: ['x'],
  outputs: ['indices', 'values', 'denseShape'],
  infer: ([x]) => [
    { dtype: 'int64', shape: [unknown, x.shape.length] },
    { dtype: x.dtype, shape: [unknown] },
    { dtype: 'int64', shape: [x.shape.length] },
  ],
  grad: ({ dys: [, dvalues], inputs: [x], outputs }: GradContext<readonly ['x']>): [Tensor | null] => [
    dvalues ? tensorScatter(zerosLike(x), outputs[0]!, dvalues, { update: 'add' }) : null,
  ],
  body: {
    kind: 'runtime',
    role: 'host',
    run([x]) {
      const strides = stridesOf(x!.shape)
      const zero = x!.dtype === 'string' ? '' : 0
      const kept: number[] = []
      for (let i = 0; i < x!.size; i++) {
        const value = getElement(x!.dtype, x!.data, i)
        // A NaN differs from 0 too, and must not be lost.
        if (typeof value === 'string' ? value !== zero : Number(value) !== 0) kept.push(i)
      }
      const indices = kept.flatMap((flat) =>
        strides.map((stride, axis) => BigInt(Math.floor(flat / stride) % x!.shape[axis]!)),
      )
      const values = allocate(x!.dtype, kept.length)
      kept.forEach((flat, i) => setElement(x!.dtype, values, i, getElement(x!.dtype, x!.data, flat)))
      return [
        new NDArray('int64', [kept.length, x!.rank], BigInt64Array.from(indices)),
        new NDArray(x!.dtype, [kept.length], values),
        new NDArray('int64', [x!.rank], BigInt64Array.from(x!.shape, BigInt)),
      ]
    },
  },
})

const toDenseOp = defineOp({
  name: 'SparseToDense',
  doc: 'The dense tensor of a sparse one whose sizes depend on data; elements named twice are added up (of strings the last one counts).',
  inputs: ['indices', 'values', 'denseShape'],
  dtypes: [['int32', 'int64'], [...fixedSize, 'string'], ['int64']],
  attrs: { shape: attr.shape('what is known of the sizes') },
  infer: ([, values], { shape }) => [
    { dtype: values.dtype, shape: shape.map((d) => (typeof d === 'number' ? d : unknown)) },
  ],
  grad: ({ dy, inputs: [indices] }): [null, Tensor, null] => [null, gatherNd(dy, indices), null],
  body: {
    kind: 'runtime',
    role: 'host',
    run([indices, values, denseShape]) {
      const shape = denseShape!.numbers()
      const strides = stridesOf(shape)
      const { dtype } = values!
      const data = allocate(dtype, sizeOf(shape))
      const at = indices!.numbers()
      for (let i = 0; i < values!.size; i++) {
        const index = at.slice(i * shape.length, (i + 1) * shape.length)
        if (index.some((k, axis) => k < 0 || k >= shape[axis]!))
          throw new RunError(`index [${index}] is outside of the sparse tensor's shape [${shape}]`)
        const flat = index.reduce((sum, k, axis) => sum + k * strides[axis]!, 0)
        const value = getElement(dtype, values!.data, i)
        const old = getElement(dtype, data, flat)
        setElement(
          dtype,
          data,
          flat,
          typeof value === 'bigint'
            ? value + (old as bigint)
            : typeof value === 'number'
              ? value + (old as number)
              : value,
        )
      }
      return [new NDArray(dtype, shape, data)]
    },
  },
})

/** The definitions behind sparse tensors, for lists of ops. */
export const sparseDenseOps = [fromDenseOp, toDenseOp]

/** The elements of x that are not zero (of strings: not empty), in row-major order. Differentiable. */
export function sparseFromDense(x: TensorLike): SparseTensor {
  const dense = toTensor(x)
  const [indices, values, denseShape] = fromDenseOp(dense)
  return new SparseTensor(indices, values, denseShape, dense.shape)
}

/** The dense tensor; elements stored twice are added up. Differentiable by the values. */
export function sparseToDense(x: SparseTensor): Tensor {
  const known = x.shape.every((d) => d !== unknown)
  if (!known || x.dtype === 'string' || x.dtype === 'bool')
    return toDenseOp(x.indices, x.values, x.denseShape, { shape: x.shape })
  return tensorScatter(fill({ shape: x.shape, dtype: x.dtype }), x.indices, x.values, { update: 'add' })
}
