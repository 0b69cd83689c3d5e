// Values known when the graph is built, and how plain JavaScript values given to ops become them.
import { attr } from '../attr.ts'
import type { DType, TypedArray } from '../dtype.ts'
import { ValueError } from '../errors.ts'
import { Tensor } from '../graph/graph.ts'
import type { Nested } from '../ndarray.ts'
import { NDArray, ndarray } from '../ndarray.ts'
import type { OpDef } from '../op.ts'
import { defineOp } from '../op.ts'

/** Something that stands for a tensor: a variable. */
export interface Readable {
  read(): Tensor
}
/** What ops take as an input: a tensor, a variable, a host array, or plain values, which become constants. */
export type TensorLike = Tensor | Readable | NDArray | TypedArray | Nested

const constantOp = defineOp({
  name: 'Const',
  doc: 'A value known when the graph is built.',
  inputs: [],
  attrs: { value: attr.array('the value') },
  infer: (_, { value }) => [{ dtype: value.dtype, shape: value.shape }],
  body: { kind: 'runtime', role: 'constant' },
})

/**
 * A constant tensor of nested arrays, a typed array or an NDArray.
 * @param dtype defaults to float32 for numbers, int64 for bigints, bool, string; arrays keep their own.
 */
export const constant: {
  (value: NDArray | TypedArray | Nested, dtype?: DType, options?: { readonly name?: string }): Tensor
  readonly def: OpDef
} = Object.assign(
  (value: NDArray | TypedArray | Nested, dtype?: DType, options: { readonly name?: string } = {}): Tensor => {
    const array = value instanceof NDArray ? value : ndarray(value, dtype)
    return constantOp({ value: dtype ? array.cast(dtype) : array, ...options })
  },
  { def: constantOp.def },
)

const isReadable = (value: unknown): value is Readable =>
  typeof value === 'object' && value !== null && 'read' in value && typeof value.read === 'function'

/** A tensor of whatever stands for one; `dtype` is what plain numbers become. */
export function toTensor(value: TensorLike, dtype?: DType): Tensor {
  if (value instanceof Tensor) return value
  if (isReadable(value)) return value.read()
  if (value instanceof NDArray || ArrayBuffer.isView(value)) return constant(value)
  return constant(value, plainNumbers(value) ? dtype : undefined)
}

/** The inputs of an op as tensors: plain numbers take the dtype that the op states for them, or that of the first typed input. */
export function toTensors(values: readonly TensorLike[], op: OpDef): Tensor[] {
  const tensors = values.map((value) => (isTyped(value) ? toTensor(value) : undefined))
  // Inputs with a dtype of their own (indices, conditions) say nothing about the others.
  const leader = tensors.find((t, i) => t !== undefined && !op.literals[op.inputs[i] ?? ''])?.dtype
  return values.map((value, i) => {
    try {
      return tensors[i] ?? toTensor(value, op.literals[op.inputs[i] ?? ''] ?? leader)
    } catch (error) {
      if (!(error instanceof ValueError)) throw error
      throw new ValueError(`input '${op.inputs[i] ?? i}': ${error.message}`, {
        node: { op, name: op.name },
        cause: error,
      })
    }
  })
}

const isTyped = (value: TensorLike): boolean =>
  value instanceof Tensor || value instanceof NDArray || ArrayBuffer.isView(value) || isReadable(value)

function plainNumbers(value: Nested): boolean {
  let first = value
  while (Array.isArray(first)) first = first[0] as Nested
  return first === undefined || typeof first === 'number'
}
