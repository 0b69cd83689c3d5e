// Kernels of the library against core's reference kernels, and that it is the library which computes.
import type { AttrValues, Buffer, Device, Kernel, Signature, Size } from '@shoal/core'
import { boundInputs, dtypes, NotFoundError, referenceKernels, sizeOf } from '@shoal/core'
import { cpu, type HostKernels } from '@shoal/kernels-cpu'
import { afterAll, describe, expect, it } from 'vitest'
import { blas, kernelsOf } from './blas.ts'
import { findLibrary, type Library } from './library.ts'

type Floating = 'float32' | 'float64'
type Data = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

/** Numbers of a dtype: given, or in bytes. */
const dataOf = (dtype: Floating, numbers: readonly number[]): Data =>
  dtype === 'float32' ? Float32Array.from(numbers) : Float64Array.from(numbers)
const readAs = (dtype: Floating, { buffer }: Uint8Array<ArrayBuffer>): Data =>
  dtype === 'float32' ? new Float32Array(buffer) : new Float64Array(buffer)

/** A library that counts its calls. */
function counting(library: Library): { counted: Library; calls: () => number } {
  let calls = 0
  const count = <Args extends unknown[]>(call: (...args: Args) => void) => {
    return (...args: Args) => {
      calls++
      call(...args)
    }
  }
  const both = (dtype: Floating) => ({
    gemm: count(library[dtype].gemm),
    gemv: count(library[dtype].gemv),
  })
  return { counted: { ...library, float32: both('float32'), float64: both('float64') }, calls: () => calls }
}

/** Numbers of a linear congruential generator, in [-1, 1). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  }
}

const bytesOf = (data: Data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

function bufferOf(device: Device, data: Data | Uint8Array): Buffer {
  const buffer = device.alloc(data.byteLength)
  device.write(buffer, data instanceof Uint8Array ? data : bytesOf(data))
  return buffer
}

/** Runs a kernel as a Program of its own, twice. Memory holds NaN where something is to be written; it may grow in between. */
async function run(
  device: Device,
  kernel: Kernel,
  signature: Signature,
  inputs: readonly Data[],
  grow?: () => void,
) {
  const [{ dtype, shape }] = signature.outputs as [{ dtype: Floating; shape: Size }]
  const nothing = new Uint8Array(sizeOf(shape) * dtypes[dtype].bytes).fill(0xff)
  const answer = bufferOf(device, nothing)
  const scratch =
    kernel.workspaceBytes > 0 ? [bufferOf(device, new Uint8Array(kernel.workspaceBytes).fill(0xff))] : []
  const args = [...inputs.map((data) => bufferOf(device, data)), answer, ...scratch]
  const step = await device.sequence!([{ kernel, args }])
  const read = () => readAs(dtype, device.read(answer) as Uint8Array<ArrayBuffer>)
  step()
  const first = read()
  device.write(answer, nothing)
  grow?.()
  step()
  expect(read()).toEqual(first)
  for (const buffer of args) device.free(buffer)
  return first
}

/** The kernel of the library agrees with the reference kernel: the same sums of products, up to the roundings of all terms. */
async function expectAgreement(
  device: Device,
  op: string,
  signature: Signature,
  terms: number,
  grow?: () => void,
): Promise<void> {
  const next = random(7)
  const inputs = boundInputs(signature).map(({ dtype, shape }) =>
    dataOf(dtype as Floating, Array.from({ length: sizeOf(shape) }, next)),
  )
  const [{ dtype, shape }] = signature.outputs as [{ dtype: Floating; shape: Size }]
  const expected = dataOf(dtype, Array<number>(sizeOf(shape)).fill(0))
  referenceKernels[op]!(inputs, [expected], signature)
  const kernel = (await device.kernel(op, signature)) as Kernel
  const answer = await run(device, kernel, signature, inputs, grow)
  const tolerance = terms * (dtype === 'float32' ? 2 ** -23 : 2 ** -52)
  const worst = [...expected].reduce((most, value, i) => Math.max(most, Math.abs(answer[i]! - value)), 0)
  expect(worst).toBeLessThanOrEqual(tolerance)
}

const matmulOf = (a: Size, b: Size, y: Size, attrs: AttrValues, dtype: Floating = 'float32'): Signature => ({
  inputs: [a, b].map((shape) => ({ dtype, shape })),
  outputs: [{ dtype, shape: y }],
  attrs: { transposeA: false, transposeB: false, ...attrs },
})

/** A convolution and its gradients: x, filter, y. */
function convsOf(x: Size, filter: Size, y: Size, attrs: AttrValues, dtype: Floating = 'float32') {
  const [images, weights, made] = [x, filter, y].map((shape) => ({ dtype, shape }))
  const all = { padding: 'VALID', groups: 1, ...attrs }
  const signatures: [string, Signature][] = [
    ['Conv', { inputs: [images!, weights!], outputs: [made!], attrs: all }],
    [
      'ConvBackpropInput',
      { inputs: [images!, weights!, made!], outputs: [images!], attrs: all, shapeOnly: new Set([0]) },
    ],
    [
      'ConvBackpropFilter',
      { inputs: [images!, weights!, made!], outputs: [weights!], attrs: all, shapeOnly: new Set([1]) },
    ],
  ]
  return signatures
}

const library = findLibrary({})
if (library) withLibrary(library)
else withoutLibrary()

function withoutLibrary(): void {
  it('there is no BLAS library on this machine: its kernels are not tested', () =>
    expect(() => blas()).toThrow(NotFoundError))
}

function withLibrary(opened: Library): void {
  const { counted, calls } = counting(opened)
  const always = { matmul: () => true, conv: () => true }
  const device = cpu({ kernels: [kernelsOf(counted, always)] })
  const threaded = cpu({ threads: 2, kernels: [kernelsOf(counted, always)] })
  const measured = cpu({ kernels: [kernelsOf(counted)] })
  afterAll(() => threaded[Symbol.asyncDispose]())

  /** Agrees, and called the library `times` times in each of two runs. */
  async function expectCalls(
    times: number,
    op: string,
    signature: Signature,
    terms: number,
    on = device,
  ): Promise<void> {
    const before = calls()
    await expectAgreement(on, op, signature, terms)
    expect(calls() - before).toBe(2 * times)
  }

  describe('MatMul by the library', () => {
    const forms = [false, true].flatMap((transposeA) =>
      [false, true].map((transposeB) => ({ transposeA, transposeB })),
    )
    const sizes = [
      [7, 5, 3],
      [1, 6, 9],
      [6, 1, 9],
      [1, 1, 5],
      [33, 17, 64],
    ] as const
    it.each(forms)('takes operands as they lie: %o', async (form) => {
      for (const dtype of ['float32', 'float64'] as const)
        for (const [m, n, k] of sizes) {
          const a = form.transposeA ? [k, m] : [m, k]
          const b = form.transposeB ? [n, k] : [k, n]
          await expectCalls(1, 'MatMul', matmulOf(a, b, [m, n], form, dtype), 4 * k)
        }
    })

    it('multiplies batches, which broadcast', async () => {
      await expectCalls(6, 'MatMul', matmulOf([3, 1, 4, 5], [2, 5, 6], [3, 2, 4, 6], {}), 20)
      await expectCalls(
        4,
        'MatMul',
        matmulOf([5, 4], [4, 6, 5], [4, 4, 6], { transposeA: true, transposeB: true }),
        20,
      )
    })

    it('makes one tall product of matrices that meet the same one', async () => {
      await expectCalls(1, 'MatMul', matmulOf([3, 2, 4, 5], [5, 6], [3, 2, 4, 6], {}), 20)
    })

    it('works on memory that threads share', async () => {
      await expectCalls(1, 'MatMul', matmulOf([40, 50], [50, 60], [40, 60], {}), 200, threaded)
    })

    it.each([1, 2])('finds the memory again when it has grown, with %i threads', async (threads) => {
      const kernels = kernelsOf(counted, always)
      let memory: WebAssembly.Memory | undefined
      const watching: HostKernels = {
        name: kernels.name,
        kernel: (op, signature, given) => kernels.kernel(op, signature, (memory = given)),
      }
      const fresh = cpu({ threads, kernels: [watching] })
      for (const m of [3, 1]) {
        await expectAgreement(fresh, 'MatMul', matmulOf([m, 5], [5, 6], [m, 6], {}), 20, () => {
          const { byteLength } = memory!.buffer
          fresh.alloc(byteLength + 65536)
          expect(memory!.buffer.byteLength).toBeGreaterThan(byteLength)
        })
      }
      await fresh[Symbol.asyncDispose]()
    })

    it('leaves matrices without elements to the device', async () => {
      await expectCalls(0, 'MatMul', matmulOf([3, 0], [0, 2], [3, 2], {}), 1)
    })

    it('leaves other dtypes to the device', async () => {
      const dtype = 'int32'
      const shapes = [
        [2, 2],
        [2, 2],
      ].map((shape) => ({ dtype, shape }) as const)
      const before = calls()
      const kernel = (await device.kernel('MatMul', {
        inputs: shapes,
        outputs: shapes.slice(1),
        attrs: { transposeA: false, transposeB: false },
      })) as Kernel
      const two = [1, 2, 3].map(() => {
        const buffer = device.alloc(16)
        device.write(buffer, new Uint8Array(Int32Array.of(1, 2, 3, 4).buffer))
        return buffer
      })
      kernel.launch([...two, device.alloc(kernel.workspaceBytes)])
      expect([...new Int32Array((device.read(two[2]!) as Uint8Array<ArrayBuffer>).buffer)]).toEqual([
        7, 10, 15, 22,
      ])
      expect(calls()).toBe(before)
    })
  })

  describe('convolutions by the library', () => {
    it.each([
      ['plain', convsOf([2, 6, 7, 3], [3, 2, 3, 4], [2, 4, 6, 4], {})],
      ['with a border', convsOf([2, 5, 6, 2], [3, 3, 2, 5], [2, 5, 6, 5], { padding: 'SAME' })],
      ['in float64', convsOf([2, 5, 6, 2], [3, 3, 2, 5], [2, 5, 6, 5], { padding: 'SAME' }, 'float64')],
      [
        'with strides that leave pixels unseen',
        convsOf([2, 8, 9, 3], [2, 3, 3, 4], [2, 3, 3, 4], { strides: [3, 3] }),
      ],
      [
        'dilated, in a border that differs from side to side',
        convsOf([1, 5, 6, 3], [2, 2, 3, 4], [1, 3, 5, 4], {
          padding: 'EXPLICIT',
          explicitPadding: [0, 1, 2, 0],
          dilations: [3, 3],
        }),
      ],
      ['over one axis', convsOf([2, 9, 5], [3, 5, 4], [2, 7, 4], {})],
      ['over three axes, of many channels', convsOf([2, 4, 5, 6, 7], [2, 3, 2, 7, 3], [2, 3, 3, 5, 3], {})],
      ['of one pixel', convsOf([2, 4, 5, 6], [1, 1, 6, 3], [2, 4, 5, 3], {})],
      ['of one pixel, with strides', convsOf([2, 4, 5, 6], [1, 1, 6, 3], [2, 2, 3, 3], { strides: [2, 2] })],
    ])('agree: %s', async (_, signatures) => {
      for (const [op, signature] of signatures) {
        const terms = 4 * Math.max(...signature.inputs.map(({ shape }) => sizeOf(shape.slice(0, -1))))
        await expectCalls(1, op, signature, terms)
      }
    })

    it('go block by block where there is much', async () => {
      // A window sees 25 · 40 elements: 131 of them are 512 KiB.
      const signatures = convsOf([2, 16, 16, 40], [5, 5, 40, 16], [2, 16, 16, 16], { padding: 'SAME' })
      for (const [op, signature] of signatures) await expectCalls(4, op, signature, 4000)
    })

    it('work on memory that threads share', async () => {
      for (const [op, signature] of convsOf([2, 6, 7, 3], [3, 2, 3, 4], [2, 4, 6, 4], {}))
        await expectCalls(1, op, signature, 200, threaded)
    })

    it('are left to the device in groups', async () => {
      for (const [op, signature] of convsOf([2, 6, 7, 4], [3, 2, 2, 4], [2, 4, 6, 4], { groups: 2 }))
        await expectCalls(0, op, signature, 200)
    })
  })

  describe('what is worth a call', () => {
    it('is not a small product', async () => {
      await expectCalls(0, 'MatMul', matmulOf([16, 16], [16, 16], [16, 16], {}), 64, measured)
      await expectCalls(0, 'MatMul', matmulOf([1, 128], [128, 128], [1, 128], {}), 512, measured)
    })

    it('is not a thin one of large matrices', async () => {
      await expectCalls(0, 'MatMul', matmulOf([5, 512], [512, 512], [5, 512], {}), 2048, measured)
      await expectCalls(0, 'MatMul', matmulOf([128, 4], [4, 128], [128, 128], {}), 16, measured)
    })

    it('is a large one', async () => {
      await expectCalls(1, 'MatMul', matmulOf([32, 32], [32, 32], [32, 32], {}), 128, measured)
      await expectCalls(1, 'MatMul', matmulOf([1, 512], [512, 256], [1, 256], {}), 2048, measured)
      await expectCalls(1, 'MatMul', matmulOf([32, 64, 10], [10, 64], [32, 64, 64], {}), 40, measured)
    })

    it('is a convolution of many channels', async () => {
      for (const [op, signature] of convsOf([1, 9, 9, 16], [3, 3, 16, 32], [1, 7, 7, 32], {}))
        await expectCalls(0, op, signature, 1000, measured)
      for (const [op, signature] of convsOf([4, 9, 9, 16], [3, 3, 16, 32], [4, 7, 7, 32], {}))
        await expectCalls(1, op, signature, 1000, measured)
      for (const [op, signature] of convsOf([4, 18, 18, 16], [3, 3, 16, 8], [4, 16, 16, 8], {}))
        await expectCalls(0, op, signature, 4000, measured)
      for (const [op, signature] of convsOf([4, 9, 9, 16], [1, 1, 16, 8], [4, 9, 9, 8], {}))
        await expectCalls(1, op, signature, 1000, measured)
    })
  })
}
