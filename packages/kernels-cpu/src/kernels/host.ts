// Kernels without code of their own: core's reference kernels on views of the heap.
import type { ReferenceKernel, Signature, TypedArray } from '@shoal/core'
import { boundInputs, sizeOf, viewOf } from '@shoal/core'
import type { CpuBuffer } from '../buffer.ts'

/** Runs a reference kernel on buffers. Views are made for each run, as the heap may have grown. */
export function hostKernel(
  kernel: ReferenceKernel,
  signature: Signature,
): (args: readonly CpuBuffer[]) => void {
  const inputs = boundInputs(signature)
  const { outputs } = signature
  const types = [...inputs, ...outputs].map(({ dtype, shape }) => ({ dtype, length: sizeOf(shape) }))
  return (args) => {
    const arrays = types.map(({ dtype, length }, i): TypedArray => {
      const { heap, address, bytes } = args[i]!
      return viewOf(dtype as Exclude<typeof dtype, 'string'>, heap.bytes(address, bytes), length)
    })
    kernel(arrays.slice(0, inputs.length), arrays.slice(inputs.length), signature)
  }
}
