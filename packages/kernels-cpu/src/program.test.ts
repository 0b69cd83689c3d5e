import type { BoundLaunch, Buffer, Device, SimpleKernel, Kernel } from '@shoal/core'
import { E, simpleKernel } from '@shoal/core'
import { describe, expect, it, vi } from 'vitest'
import { cpu, type CpuDevice } from './cpu.ts'

const floats = (device: Device, buffer: Buffer): Float32Array =>
  new Float32Array((device.read(buffer) as Uint8Array).buffer)

function bufferOf(device: Device, data: Float32Array): Buffer {
  const buffer = device.alloc(data.byteLength)
  device.write(buffer, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return buffer
}

/** y[i] = exp(-x[i]²) */
const bell = (length: number): SimpleKernel => {
  const x = E.load(0, E.axis(0), 'float32')
  return {
    name: 'bell',
    inputs: [{ dtype: 'float32', length }],
    output: { dtype: 'float32', length },
    axes: [length],
    reduced: 0,
    body: E.exp(E.neg(E.mul(x, x))),
  }
}
/** y[i] = Σ x[i, j] */
const rowSums = (rows: number, columns: number): SimpleKernel => ({
  name: 'rowSums',
  inputs: [{ dtype: 'float32', length: rows * columns }],
  output: { dtype: 'float32', length: rows },
  axes: [rows, columns],
  reduced: 1,
  body: E.load(0, E.add(E.mul(E.axis(0), E.num(columns, 'int32')), E.axis(1)), 'float32'),
  reduce: { combine: 'sum', dtype: 'float32', epilogue: E.acc(0, 'float32') },
})
const columnSums = (rows: number, columns: number): SimpleKernel => ({
  ...rowSums(columns, rows),
  name: 'columnSums',
  inputs: [{ dtype: 'float32', length: rows * columns }],
  body: E.load(0, E.add(E.mul(E.axis(1), E.num(columns, 'int32')), E.axis(0)), 'float32'),
})

/** A chain of kernels over rows × columns elements: what they all answer. */
async function chain(device: CpuDevice, rows: number, columns: number): Promise<Float32Array[]> {
  const length = rows * columns
  const x = bufferOf(
    device,
    Float32Array.from({ length }, (_, i) => Math.sin(i * 0.7)),
  )
  const alloc = (elements: number) => device.alloc(elements * 4)
  const [y, sums, columnsOf, product, copy] = [
    alloc(length),
    alloc(rows),
    alloc(columns),
    alloc(rows * rows),
    alloc(length),
  ] as const
  const matrix = (a: number, b: number) => ({ dtype: 'float32' as const, shape: [a, b] })
  const matmul = (await device.kernel('MatMul', {
    inputs: [matrix(rows, columns), matrix(rows, columns)],
    outputs: [matrix(rows, rows)],
    attrs: { transposeA: false, transposeB: true },
  })) as Kernel
  const scratch = matmul.workspaceBytes > 0 ? [device.alloc(matmul.workspaceBytes)] : []
  const launches: BoundLaunch[] = [
    { kernel: await device.fuse(simpleKernel(bell(length))), args: [x, y] },
    { kernel: await device.fuse(simpleKernel(rowSums(rows, columns))), args: [y, sums] },
    { kernel: await device.fuse(simpleKernel(columnSums(rows, columns))), args: [y, columnsOf] },
    { kernel: matmul, args: [x, y, product, ...scratch] },
    { kernel: device.copy(length * 4), args: [y, copy] },
  ]
  const step = await device.sequence!(launches)
  step()
  const first = [y, sums, columnsOf, product, copy].map((buffer) => floats(device, buffer))
  // A second step over the answers of the first must not differ: no kernel remembers anything.
  device.write(y, new Uint8Array(length * 4))
  await device.ready()
  step()
  const second = [y, sums, columnsOf, product, copy].map((buffer) => floats(device, buffer))
  expect(second).toEqual(first)
  // Launched one by one, they do the same.
  for (const buffer of [y, sums, columnsOf, product, copy]) device.write(buffer, new Uint8Array(buffer.bytes))
  for (const { kernel, args } of launches) kernel.launch(args)
  expect([y, sums, columnsOf, product, copy].map((buffer) => floats(device, buffer))).toEqual(first)
  return first
}

describe('sequence', () => {
  it('computes what its kernels say, in their order', async () => {
    const [y, sums, columns, product, copy] = (await chain(cpu(), 5, 37)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    const x = Float32Array.from({ length: 185 }, (_, i) => Math.sin(i * 0.7))
    x.forEach((v, i) => expect(y[i]).toBeCloseTo(Math.exp(-v * v), 6))
    expect(copy).toEqual(y)
    sums.forEach((sum, i) =>
      expect(sum).toBeCloseTo(
        y.slice(i * 37, i * 37 + 37).reduce((a, b) => a + b),
        4,
      ),
    )
    columns.forEach((sum, j) =>
      expect(sum).toBeCloseTo(
        [0, 1, 2, 3, 4].reduce((a, i) => a + y[i * 37 + j]!, 0),
        4,
      ),
    )
    for (let i = 0; i < 5; i++)
      for (let j = 0; j < 5; j++) {
        let sum = 0
        for (let k = 0; k < 37; k++) sum += x[i * 37 + k]! * y[j * 37 + k]!
        expect(product[i * 5 + j]).toBeCloseTo(sum, 4)
      }
  })

  it('is synchronous with any number of threads', async () => {
    for (const threads of [1, 2]) {
      const device = cpu({ threads })
      const [x, y] = [device.alloc(4e6), device.alloc(4e6)]
      const kernel = await device.fuse(simpleKernel(bell(1e6)))
      const step = device.sequence!([{ kernel, args: [x, y] }]) as () => void
      step()
      expect(floats(device, y).at(-1)).toBe(1)
      await device[Symbol.asyncDispose]()
    }
  })

  it('waits for the code where the engine compiles large modules in the background only', async () => {
    const { Module } = WebAssembly
    class Refusing extends Module {
      constructor(bytes: BufferSource) {
        super(bytes)
        throw new RangeError('too large for the main thread')
      }
    }
    const device = cpu()
    const [x, y] = [device.alloc(16), device.alloc(16)]
    const kernel = await device.fuse(simpleKernel(bell(4)))
    vi.stubGlobal('WebAssembly', Object.create(WebAssembly, { Module: { value: Refusing } }))
    const step = device.sequence!([{ kernel, args: [x, y] }])
    vi.unstubAllGlobals()
    expect(step).toBeInstanceOf(Promise)
    ;(await step)()
    expect([...floats(device, y)]).toEqual([1, 1, 1, 1])
  })

  it('computes kernels side by side that do not depend on each other, small and large, and the others in their order', async () => {
    const answers: Float32Array[][] = []
    for (const threads of [1, 3]) {
      const device = cpu({ threads })
      const lengths = [3, 100_000, 70_000, 20_000, 5, 20_000]
      const pairs = lengths.map((length) => [
        bufferOf(device, new Float32Array(length).fill(0.5)),
        device.alloc(4 * length),
      ])
      const launches: BoundLaunch[] = []
      // Each round reads what the one before has written, and writes what it has read.
      for (let round = 0; round < 4; round++)
        for (const [i, [x, y]] of pairs.entries()) {
          const kernel = await device.fuse(simpleKernel(bell(lengths[i]!)))
          launches.push({ kernel, args: round % 2 === 0 ? [x!, y!] : [y!, x!] })
        }
      const step = await device.sequence!(launches)
      await device.ready()
      for (let i = 0; i < 5; i++) step()
      answers.push(pairs.flat().map((buffer) => floats(device, buffer!)))
      await device[Symbol.asyncDispose]()
    }
    expect(answers[1]).toEqual(answers[0])
    const fixed = answers[0]!.map((values) => new Set(values).size)
    expect(fixed).toEqual(fixed.map(() => 1))
  })

  for (const strict of [false, true])
    it(`gives the same bits with 1, 2 and 4 threads${strict ? ', strictly' : ''}`, async () => {
      const answers: Float32Array[][] = []
      for (const threads of [1, 2, 4]) {
        const device = cpu({ threads, strict })
        answers.push(await chain(device, 120, 3000))
        await device[Symbol.asyncDispose]()
      }
      expect(answers[1]).toEqual(answers[0])
      expect(answers[2]).toEqual(answers[0])
    })

  it('calls what WebAssembly lacks on every thread', async () => {
    const length = 100_000
    const answers: Float32Array[] = []
    for (const threads of [1, 3]) {
      const device = cpu({ threads })
      const x = bufferOf(
        device,
        Float32Array.from({ length }, (_, i) => 1 + i / 1000),
      )
      const y = device.alloc(4 * length)
      const body = E.lgamma(E.load(0, E.axis(0), 'float32'))
      const kernel = await device.fuse(simpleKernel({ ...bell(length), name: 'lgamma', body }))
      const step = await device.sequence!([{ kernel, args: [x, y] }])
      await device.ready()
      for (let i = 0; i < 5; i++) step()
      answers.push(floats(device, y))
      await device[Symbol.asyncDispose]()
    }
    expect(answers[1]).toEqual(answers[0])
    expect(answers[0]![1000]).toBeCloseTo(0, 5)
    expect(answers[0]![4000]).toBeCloseTo(Math.log(24), 5)
  })

  it('refuses buffers that were freed, buffers of others, and work after disposal', async () => {
    const device = cpu()
    const kernel = await device.fuse(simpleKernel(bell(4)))
    const [x, y] = [device.alloc(16), device.alloc(16)]
    device.free(y)
    expect(() => kernel.launch([x, y])).toThrow('freed')
    expect(() => kernel.launch([x, cpu().alloc(16)])).toThrow('another device')
    await device[Symbol.asyncDispose]()
    expect(() => device.alloc(4)).toThrow('disposed')
  })
})

describe('cpu', () => {
  it('refuses options that make no sense', () => {
    expect(() => cpu({ threads: 0 })).toThrow('threads')
    expect(() => cpu({ maxBytes: 1 })).toThrow('maxBytes')
    expect(() => cpu({ threads: '2' as never })).toThrow(
      "cpu: threads must be a whole number from 1, got '2'",
    )
    expect(() => cpu({ strict: 1 as never })).toThrow('cpu: strict must be true or false, got 1')
    expect(() => cpu({ thread: 2 } as never)).toThrow("there is no 'thread'")
    expect(() => cpu(4 as never)).toThrow('it was given 4')
    const family = (): void => {}
    expect(() => cpu({ kernels: [family] as never })).toThrow(
      'got [the function family, which was not called]',
    )
    expect(() => cpu({ kernels: { kernel: family } as never })).toThrow('must be a list of families')
    expect(() => cpu({ worker: './worker.js' as never })).toThrow("a URL object, got './worker.js'")
    expect(() => cpu({ tuning: 5 as never })).toThrow('what measureTuning() answers, got 5')
  })

  it('lends itself no more memory than it may', () => {
    const device = cpu({ maxBytes: 2 ** 20 })
    expect(() => device.alloc(2 ** 21)).toThrow('maxBytes')
  })
})
