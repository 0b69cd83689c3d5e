// What the runtime relies on in every device: memory that keeps what is written, and launches that happen in order.
import type { Buffer, Device, DType, FusedKernel } from '@shoal/core'
import { allocate, dtypes, E, neutral, PlacementError, setElement, simpleKernel, viewOf } from '@shoal/core'
import { describe, expect, it } from 'vitest'

type Use<T> = (alloc: (bytes: number) => Buffer) => Promise<T>

/** Buffers for as long as `use` runs. */
async function holding<T>(device: Device, use: Use<T>): Promise<T> {
  const held: Buffer[] = []
  try {
    return await use((bytes) => {
      const buffer = device.alloc(bytes)
      held.push(buffer)
      return buffer
    })
  } finally {
    held.forEach((buffer) => device.free(buffer))
  }
}

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)
const asFloats = (bytes: Uint8Array, length: number): number[] => [...viewOf('float32', bytes, length)]

/** y = x + 1 over `length` float32 values. */
const increment = (length: number): FusedKernel =>
  simpleKernel({
    name: 'increment',
    inputs: [{ dtype: 'float32', length }],
    output: { dtype: 'float32', length },
    axes: [length],
    reduced: 0,
    body: E.add(E.load(0, E.axis(0), 'float32'), E.num(1, 'float32')),
  })

/** y = x of any dtype. */
const pass = (dtype: DType, length: number): FusedKernel =>
  simpleKernel({
    name: 'pass',
    inputs: [{ dtype, length }],
    output: { dtype, length },
    axes: [length],
    reduced: 0,
    body: E.load(0, E.axis(0), dtype),
  })

/** The extremes and some plain values of a dtype. */
function samples(dtype: DType): readonly number[] {
  if (dtypes[dtype].kind === 'float') return [0, 1, -1.5, 0.125, 100, -2048, 3, 4]
  if (dtypes[dtype].kind === 'bool') return [0, 1, 1, 0, 1]
  return [
    0,
    1,
    2,
    100,
    dtype === 'int64' ? -3 : neutral('max', dtype),
    dtype === 'int64' ? 5 : neutral('min', dtype),
    7,
  ]
}

/** Registers the tests of the device contract. */
export function deviceContract(open: () => Device, claimed: readonly DType[]): void {
  describe('contract', () => {
    memory(open)
    launches(open, claimed)
    emptiness(open)
  })
}

function memory(open: () => Device): void {
  it('keeps what is written, and answers copies', async () => {
    const device = open()
    await holding(device, async (alloc) => {
      const [a, b] = [alloc(12), alloc(12)]
      device.write(a, floats(1, 2, 3))
      device.write(b, floats(4, 5, 6))
      const first = await device.read(a)
      first.fill(0)
      expect(asFloats(await device.read(a), 3)).toEqual([1, 2, 3])
      expect(asFloats(await device.read(b), 3)).toEqual([4, 5, 6])
    })
  })
  it('reads the first bytes only when asked to', async () => {
    const device = open()
    await holding(device, async (alloc) => {
      const a = alloc(16)
      device.write(a, floats(1, 2, 3, 4))
      const part = await device.read(a, 8)
      expect(part.byteLength).toBe(8)
      expect(asFloats(part, 2)).toEqual([1, 2])
    })
  })
  it('says how large a buffer is', async () => {
    await holding(open(), async (alloc) => {
      for (const bytes of [1, 4, 6, 100]) expect(alloc(bytes).bytes).toBeGreaterThanOrEqual(bytes)
    })
  })
  it('keeps its other buffers when one is freed and its memory is used again', async () => {
    const device = open()
    await holding(device, async (alloc) => {
      const kept = alloc(64)
      device.write(kept, new Uint8Array(64).fill(7))
      for (let round = 0; round < 8; round++) {
        const passing = device.alloc(64)
        device.write(passing, new Uint8Array(64).fill(round))
        device.free(passing)
      }
      expect([...(await device.read(kept, 64))]).toEqual(new Array(64).fill(7))
    })
  })
  it('copies a number of bytes from buffer to buffer, and no more', async () => {
    const device = open()
    await holding(device, async (alloc) => {
      const [from, to] = [alloc(16), alloc(16)]
      device.write(from, floats(1, 2, 3, 4))
      device.write(to, floats(9, 9, 9, 9))
      device.copy(8).launch([from, to])
      expect(asFloats(await device.read(to), 4)).toEqual([1, 2, 9, 9])
    })
  })
  it('moves bytes between offsets', async () => {
    const device = open()
    await holding(device, async (alloc) => {
      const [from, to] = [alloc(16), alloc(16)]
      device.write(from, floats(1, 2, 3, 4))
      device.write(to, floats(9, 9, 9, 9))
      device.move(from, 4, to, 8, 8)
      expect(asFloats(await device.read(to), 4)).toEqual([9, 9, 2, 3])
    })
  })
}

function launches(open: () => Device, claimed: readonly DType[]): void {
  it('claims the dtypes that it has', () => {
    const { caps } = open()
    expect([...caps.dtypes].sort()).toEqual([...claimed].sort())
    expect(claimed).toEqual(expect.arrayContaining(['float32', 'int32']))
    expect(claimed).not.toContain('string')
    expect(caps.maxBuffers).toBeGreaterThanOrEqual(4)
  })
  it('runs launches in the order in which they were enqueued', async () => {
    const device = open()
    await holding(device, async (alloc) => {
      const [a, b] = [alloc(12), alloc(12)]
      const kernel = await device.fuse(increment(3))
      device.write(a, floats(0, 10, 20))
      for (let round = 0; round < 20; round++) kernel.launch(round % 2 === 0 ? [a, b] : [b, a])
      expect(asFloats(await device.read(a), 3)).toEqual([20, 30, 40])
    })
  })
  it('writes after the launches before', async () => {
    const device = open()
    await holding(device, async (alloc) => {
      const [a, b] = [alloc(4), alloc(4)]
      const kernel = await device.fuse(increment(1))
      device.write(a, floats(1))
      kernel.launch([a, b])
      device.write(a, floats(100))
      expect(asFloats(await device.read(b), 1)).toEqual([2])
      expect(asFloats(await device.read(a), 1)).toEqual([100])
    })
  })
  it('runs a sequence as its launches one by one, as often as it is called', async () => {
    const device = open()
    await holding(device, async (alloc) => {
      const [a, b] = [alloc(8), alloc(8)]
      const kernel = await device.fuse(increment(2))
      const copy = device.copy(8)
      const steps = [
        { kernel, args: [a, b] },
        { kernel: copy, args: [b, a] },
      ]
      device.write(a, floats(1, 5))
      const run = (await device.sequence?.(steps)) ?? (() => steps.forEach((s) => s.kernel.launch(s.args)))
      run()
      run()
      run()
      expect(asFloats(await device.read(a), 2)).toEqual([4, 8])
    })
  })
  it.each([...claimed])('stores and loads %s exactly', async (dtype) => {
    const device = open()
    const values = samples(dtype)
    const data = allocate(dtype as Exclude<DType, 'string'>, values.length)
    values.forEach((v, i) => setElement(dtype, data, i, dtype === 'int64' ? BigInt(v) : v))
    const bytes = new Uint8Array(data.buffer as ArrayBuffer)
    await holding(device, async (alloc) => {
      const [from, to] = [alloc(bytes.length), alloc(bytes.length)]
      device.write(from, bytes)
      const kernel = await device.fuse(pass(dtype, values.length))
      kernel.launch([from, to])
      expect([...(await device.read(to, bytes.length))]).toEqual([...bytes])
    })
  })
  it('refuses kernels that it does not have', async () => {
    const device = open()
    const signature = { inputs: [], outputs: [], attrs: {} }
    expect(device.supports('NoSuchOp', signature)).toBe(false)
    await expect((async () => device.kernel('NoSuchOp', signature))()).rejects.toThrow(PlacementError)
  })
  it('computes NaN and infinities as IEEE-754 says, where it claims to', async () => {
    const device = open()
    const values = [Number.NaN, Infinity, -Infinity]
    const answer = await holding(device, async (alloc) => {
      const [a, b] = [alloc(12), alloc(12)]
      device.write(a, floats(...values))
      const kernel = await device.fuse(increment(3))
      kernel.launch([a, b])
      return asFloats(await device.read(b), 3)
    })
    expect(answer.length).toBe(3)
    if (device.caps.strictNaN) expect(answer).toEqual(values)
  })
}

function emptiness(open: () => Device): void {
  it('has room for nothing', async () => {
    const device = open()
    await holding(device, async (alloc) => {
      const [a, b] = [alloc(0), alloc(0)]
      device.write(a, new Uint8Array(0))
      const kernel = await device.fuse(increment(0))
      kernel.launch([a, b])
      device.copy(0).launch([a, b])
      expect((await device.read(b, 0)).byteLength).toBe(0)
    })
  })
  it('answers the neutral element for a reduction over nothing', async () => {
    const device = open()
    await holding(device, async (alloc) => {
      const [a, b] = [alloc(0), alloc(8)]
      device.write(b, floats(5, 5))
      const kernel = await device.fuse(
        simpleKernel({
          name: 'sumOfNothing',
          inputs: [{ dtype: 'float32', length: 0 }],
          output: { dtype: 'float32', length: 2 },
          axes: [2, 0],
          reduced: 1,
          body: E.load(0, E.axis(1), 'float32'),
          reduce: {
            combine: 'sum',
            dtype: 'float32',
            epilogue: E.add(E.acc(0, 'float32'), E.num(1, 'float32')),
          },
        }),
      )
      kernel.launch([a, b])
      expect(asFloats(await device.read(b), 2)).toEqual([1, 1])
    })
  })
}
