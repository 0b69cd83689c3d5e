// Kernels of the webgpu device held against the reference kernels of core: what the tests of kernels share.
import type { Buffer, ConcreteType, Device, DType, Signature, TypedArray } from '@shoal/core'
import {
  allocate,
  boundInputs,
  dtypes,
  getElement,
  referenceKernels,
  setElement,
  sizeOf,
  viewOf,
} from '@shoal/core'
import { expect } from 'vitest'

/** A type of sizes; float32 by default. */
export const type = (shape: readonly number[], dtype: DType = 'float32'): ConcreteType => ({ dtype, shape })

/** Numbers of a linear congruential generator, in [-1, 1). */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  }
}

/** Elements of a type: floats in [-1, 1), integers in [-9, 9] or [0, 9], true and false. */
export function randomData({ dtype, shape }: ConcreteType, next: () => number): TypedArray {
  const data = allocate(dtype, sizeOf(shape)) as TypedArray
  const { kind } = dtypes[dtype]
  for (let i = 0; i < data.length; i++) {
    const x = next()
    const element =
      kind === 'float'
        ? x
        : kind === 'bool'
          ? Number(x < 0)
          : Math.trunc((kind === 'uint' ? Math.abs(x) : x) * 10)
    setElement(dtype, data, i, element)
  }
  return data
}

/** The bytes of an array, as they are in memory. */
const bytesOf = (data: TypedArray) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/**
 * Runs a kernel as a Program of its own: every output. All memory is full of ones before, NaN for floats, so that what is not written shows,
 * and what is read behind the end of an input as well.
 */
export async function answersOf(
  on: Device,
  op: string,
  signature: Signature,
  inputs: readonly TypedArray[],
): Promise<TypedArray[]> {
  const kernel = await on.kernel(op, signature)
  const outputs = signature.outputs.map(({ dtype, shape }) => allocate(dtype, sizeOf(shape)) as TypedArray)
  const filled = (bytes: number): Buffer => {
    const buffer = on.alloc(bytes)
    on.write(buffer, new Uint8Array(buffer.bytes).fill(0xff))
    return buffer
  }
  const buffers = [...inputs, ...outputs].map(({ byteLength }) => filled(byteLength))
  if (kernel.workspaceBytes > 0) buffers.push(filled(kernel.workspaceBytes))
  inputs.forEach((data, i) => on.write(buffers[i]!, bytesOf(data)))
  const step = await on.sequence!([{ kernel, args: buffers }])
  step()
  const answers = await Promise.all(
    signature.outputs.map(async ({ dtype, shape }, i) => {
      const bytes = await on.read(buffers[inputs.length + i]!, outputs[i]!.byteLength)
      return viewOf(dtype as Exclude<DType, 'string'>, bytes, sizeOf(shape)) as TypedArray
    }),
  )
  buffers.forEach((buffer) => on.free(buffer))
  return answers
}

/**
 * Expects that the kernel agrees with the reference kernel within an absolute tolerance; NaN agrees with NaN.
 * Inputs are those of `randomData` where none are given.
 */
export async function expectAgreement(
  on: Device,
  op: string,
  signature: Signature,
  tolerance: number,
  given?: readonly TypedArray[],
): Promise<void> {
  const next = random(7)
  const inputs = given ?? boundInputs(signature).map((of) => randomData(of, next))
  const expected = signature.outputs.map(({ dtype, shape }) => allocate(dtype, sizeOf(shape)) as TypedArray)
  referenceKernels[op]!(inputs, expected, signature)
  const what = `${op} ${JSON.stringify(signature)}`
  const answers = await answersOf(on, op, signature, inputs)
  answers.forEach((data, o) => {
    const { dtype } = signature.outputs[o]!
    let worst = 0
    for (let i = 0; i < data.length; i++) {
      const [x, y] = [getElement(dtype, data, i), getElement(dtype, expected[o]!, i)]
      const difference = Object.is(x, y) ? 0 : Math.abs(Number(x) - Number(y))
      // NaN must count as wrong.
      worst = difference <= worst ? worst : difference || Infinity
    }
    expect(worst, what).toBeLessThanOrEqual(tolerance)
  })
}
