// Where the elements go that a hand-written kernel makes: into its output, or through the epilogue that was fused to it.
import type { ConcreteType, FusedKernel } from '@shoal/core'
import { affine, sizeOf } from '@shoal/core'
import type { BufferUse } from './stage.ts'
import { toBfloat16, toFloat16 } from './wgsl/half.ts'
import type { Memory } from './wgsl/memory.ts'
import { scalarType } from './wgsl/representation.ts'
import { ScalarWriter } from './wgsl/scalar.ts'
import type { Shader } from './wgsl/shader.ts'

/** The output of a kernel, as its last stage sees it. */
export interface Output extends Stored {
  /** The same by groups of four neighbours, each in whole words: for kernels that make four at once. Absent where elements do not come in fours. */
  readonly inFours?: Stored<readonly string[]>
}

/** How elements are stored: one at a time, or `Value` says of how many. */
export interface Stored<Value = string> {
  /** What the stage has to add to its buffers. */
  readonly uses: readonly BufferUse[]
  /**
   * Stores an element (or four neighbours), once.
   * @param first the position of `uses[0]` among the stage's buffers.
   * @param index of the (first) element in row-major order, i32.
   * @param value in the type that the output's dtype is computed in.
   */
  store(shader: Shader, first: number, index: string, value: Value): void
}

/** A buffer whose elements are stored as they are. */
export function storedIn(use: BufferUse): Output {
  const single: Stored = {
    uses: [use],
    store: (shader, first, index, value) => shader.memory(first).store(index, value),
  }
  if (use.length % 4 !== 0) return single
  const inFours: Stored<readonly string[]> = {
    uses: [usedInFours(use)],
    store: (shader, first, index, values) => storeFour(shader.memory(first), index, values),
  }
  return { ...single, inFours }
}

/** An output that is stored as it is. `arg` is its position among the arguments of the launch. */
export const plainOutput = ({ dtype, shape }: ConcreteType, arg: number): Output =>
  storedIn({ arg, dtype, length: sizeOf(shape), access: 'write' })

/**
 * An output that only its epilogue reads: it is never stored itself.
 * @param inputs how many inputs the kernel has; the further ones of the epilogue follow, then what the kernel makes, then the epilogue's outputs.
 */
export function outputThrough(epilogue: FusedKernel, { dtype }: ConcreteType, inputs: number): Output {
  const further = epilogue.inputs.slice(1)
  const made = inputs + further.length
  const read = further.map((input, i): BufferUse => ({ ...input, arg: inputs + i, access: 'read' }))
  const written = epilogue.stores.map(
    (store, i): BufferUse => ({
      dtype: store.dtype,
      length: store.length,
      arg: made + 1 + i,
      access: 'write',
    }),
  )
  // What the epilogue makes of an element.
  const valuesAt = (shader: Shader, first: number, index: string, value: string): string[] => {
    const rounded = shader.let(
      dtype === 'float16'
        ? `${shader.include(toFloat16)}(${value})`
        : dtype === 'bfloat16'
          ? `${shader.include(toBfloat16)}(${value})`
          : value,
    )
    const writer = new ScalarWriter(shader, {
      axes: countersAt(shader, epilogue, index),
      load: (input, at) => (input === 0 ? rounded : shader.memory(first + input - 1).load(at)),
    })
    return epilogue.stores.map(({ value: result }) => writer.write(result))
  }
  // All values are there before the first is stored: an output may be the memory of an input.
  const single: Stored = {
    uses: [...read, ...written],
    store: (shader, first, index, value) =>
      valuesAt(shader, first, index, value).forEach((result, i) =>
        shader.memory(first + further.length + i).store(index, result),
      ),
  }
  if (written.some(({ length }) => length % 4 !== 0)) return single
  const inFours: Stored<readonly string[]> = {
    uses: [...read, ...written.map(usedInFours)],
    store: (shader, first, index, values) => {
      const results = values.map((value, k) =>
        valuesAt(shader, first, k === 0 ? index : shader.let(`${index} + ${k}`), value),
      )
      written.forEach((_, i) =>
        storeFour(
          shader.memory(first + further.length + i),
          index,
          results.map((result) => result[i]!),
        ),
      )
    },
  }
  return { ...single, inFours }
}

const usedInFours = (use: BufferUse): BufferUse => ({ ...use, vector: 4 })

const storeFour = (memory: Memory, index: string, values: readonly string[]): void =>
  memory.store4(`${index} >> 2u`, `vec4<${scalarType(memory.dtype)}>(${values.join(', ')})`)

/** The loop counters of the epilogue at the point that stores an element. */
function countersAt(shader: Shader, { axes, stores }: FusedKernel, index: string): string[] {
  const strides = axes.map(() => 0)
  for (const [atom, coefficient] of affine(stores[0]!.index).terms)
    if (atom.op === 'axis') strides[atom.axis] = coefficient
  const largest = Math.max(...strides)
  return axes.map((size, axis) => {
    const stride = strides[axis]!
    if (size === 1 || stride === 0) return '0'
    const quotient = stride === 1 ? index : shader.let(`(${index}) / ${stride}`)
    return stride === largest ? quotient : shader.let(`(${quotient}) % ${size}`)
  })
}
