// Kernels of the cpu device held against the reference kernels of core: what the tests of kernels share.
import type { Buffer, ConcreteType, Device, DType, Signature, TypedArray } from '@shoal/core'
import { allocate, boundInputs, referenceKernels, sizeOf, viewOf } from '@shoal/core'
import { afterAll, expect } from 'vitest'
import { cpu } from '../cpu.ts'

const device = cpu()
const strict = cpu({ strict: true })
const threaded = [2, 4].map((threads) => cpu({ threads }))
afterAll(async () => {
  for (const each of threaded) await each[Symbol.asyncDispose]()
})

/** Numbers of a linear congruential generator, in [-1, 1). */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  }
}

/** The bytes of an array, as they are in memory. */
export const bytesOf = (data: TypedArray) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** Runs a kernel as a Program of its own: every output. Memory holds NaN before, so that what is not written shows. */
export async function answersOf(
  on: Device,
  op: string,
  signature: Signature,
  inputs: readonly TypedArray[],
): Promise<TypedArray[]> {
  const kernel = await on.kernel(op, signature)
  const outputs = signature.outputs.map(({ dtype, shape }) => allocate(dtype, sizeOf(shape)) as TypedArray)
  const scratch = kernel.workspaceBytes > 0 ? [new Uint8Array(kernel.workspaceBytes)] : []
  outputs.forEach((data) => bytesOf(data).fill(0xff))
  scratch.forEach((data) => data.fill(0xff))
  const prepared = kernel.prepared ? [new Uint8Array(kernel.prepared.bytes).fill(0xff)] : []
  const buffers = [...inputs, ...outputs, ...scratch, ...prepared].map((data): Buffer => {
    const buffer = on.alloc(data.byteLength)
    on.write(buffer, bytesOf(data))
    return buffer
  })
  kernel.prepared?.launch([...buffers.slice(0, inputs.length), buffers.at(-1)!])
  // As core does: what was prepared stands in the place of what it was made of.
  const bound = signature.inputs.flatMap((_, i) => (signature.shapeOnly?.has(i) ? [] : [i]))
  const args = buffers.map((buffer, i) =>
    i < inputs.length && kernel.prepared?.replaces?.has(bound[i]!) ? buffers.at(-1)! : buffer,
  )
  const step = await on.sequence!([{ kernel, args }])
  step()
  const answers = signature.outputs.map(({ dtype, shape }, i) => {
    const bytes = on.read(buffers[inputs.length + i]!) as Uint8Array
    return viewOf(dtype as Exclude<DType, 'string'>, bytes, sizeOf(shape)) as TypedArray
  })
  buffers.forEach((buffer) => on.free(buffer))
  return answers
}

/**
 * Expects that the kernel agrees with the reference kernel, strict and not, within an absolute tolerance, and that it has the same bits on
 * two and four threads, and whether inputs are constant or not. Inputs are random in [-1, 1) where none are given.
 */
export async function expectAgreement(
  op: string,
  signature: Signature,
  tolerance: number,
  given?: readonly TypedArray[],
): Promise<void> {
  const next = random(7)
  const inputs =
    given ??
    boundInputs(signature).map(({ dtype, shape }) => {
      const data = allocate(dtype, sizeOf(shape)) as TypedArray
      for (let i = 0; i < data.length; i++) data[i] = next() as never
      return data
    })
  const expected = signature.outputs.map(({ dtype, shape }) => allocate(dtype, sizeOf(shape)) as TypedArray)
  referenceKernels[op]!(inputs, expected, signature)
  const what = `${op} ${JSON.stringify(signature)}`
  const answers = await answersOf(device, op, signature, inputs)
  for (const actual of [answers, await answersOf(strict, op, signature, inputs)])
    actual.forEach((data, o) => {
      let worst = 0
      for (let i = 0; i < data.length; i++) {
        const [x, y] = [data[i]!, expected[o]![i]!]
        const difference = Object.is(x, y) ? 0 : Math.abs(Number(x) - Number(y))
        // NaN must count as wrong.
        worst = difference <= worst ? worst : difference || Infinity
      }
      expect(worst, what).toBeLessThanOrEqual(tolerance)
    })
  const { constants, ...otherwise } = signature
  if (constants) expect(await answersOf(device, op, otherwise, inputs), what).toEqual(answers)
  for (const several of threaded)
    expect(await answersOf(several, op, signature, inputs), what).toEqual(answers)
}

/** A type of sizes; float32 by default. */
export const type = (shape: readonly number[], dtype: DType = 'float32'): ConcreteType => ({ dtype, shape })
