// Where the elements go that a hand-written kernel makes: into its output, or through the epilogue that was fused to it.
import type { ConcreteType, FusedKernel } from '@shoal/core'
import { affine, sizeOf } from '@shoal/core'
import type { BufferUse } from './stage.ts'
import { toBfloat16, toFloat16 } from './wgsl/half.ts'
import { ScalarWriter } from './wgsl/scalar.ts'
import type { Shader } from './wgsl/shader.ts'

/** The output of a kernel, as its last stage sees it. */
export interface Output {
  /** What the stage has to add to its buffers. */
  readonly uses: readonly BufferUse[]
  /**
   * Stores an element, once.
   * @param first the position of `uses[0]` among the stage's buffers.
   * @param index of the element in row-major order, i32.
   * @param value in the type that the output's dtype is computed in.
   */
  store(shader: Shader, first: number, index: string, value: string): void
}

/** An output that is stored as it is. `arg` is its position among the arguments of the launch. */
export function plainOutput({ dtype, shape }: ConcreteType, arg: number): Output {
  return {
    uses: [{ arg, dtype, length: sizeOf(shape), access: 'write' }],
    store: (shader, first, index, value) => shader.memory(first).store(index, value),
  }
}

/**
 * An output that only its epilogue reads: it is never stored itself.
 * @param inputs how many inputs the kernel has; the further ones of the epilogue follow, then what the kernel makes, then the epilogue's outputs.
 */
export function outputThrough(epilogue: FusedKernel, { dtype }: ConcreteType, inputs: number): Output {
  const further = epilogue.inputs.slice(1)
  const made = inputs + further.length
  return {
    uses: [
      ...further.map((input, i): BufferUse => ({ ...input, arg: inputs + i, access: 'read' })),
      ...epilogue.stores.map(
        (store, i): BufferUse => ({
          dtype: store.dtype,
          length: store.length,
          arg: made + 1 + i,
          access: 'write',
        }),
      ),
    ],
    store: (shader, first, index, value) => {
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
      // All values are there before the first is stored: an output may be the memory of an input.
      const values = epilogue.stores.map(({ value: result }) => writer.write(result))
      values.forEach((result, i) => shader.memory(first + further.length + i).store(index, result))
    },
  }
}

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
