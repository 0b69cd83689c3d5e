import { describe, expect, it, vi } from 'vitest'
import { webgpu } from './webgpu.ts'

const bytes = (...values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer)
const numbers = (data: Uint8Array) => [...new Float32Array(data.buffer)]

describe('memory that is freed while commands are still to be sent off', () => {
  it('keeps what they read, even if somebody else gets and writes it', async () => {
    await using device = await webgpu()
    const [from, to] = [device.alloc(16), device.alloc(16)]
    device.write(from, bytes(1, 2, 3, 4))
    device.copy(16).launch([from, to])
    device.free(from)
    const next = device.alloc(16)
    device.write(next, bytes(9, 9, 9, 9))
    const [old, fresh] = await Promise.all([device.read(to), device.read(next)])
    expect(numbers(old)).toEqual([1, 2, 3, 4])
    expect(numbers(fresh)).toEqual([9, 9, 9, 9])
  })
  it('is there for them although there is too much of it to be kept', async () => {
    await using device = await webgpu()
    const [from, to] = [device.alloc(2 ** 26 + 16), device.alloc(16)]
    device.write(from, bytes(1, 2, 3, 4))
    device.copy(16).launch([from, to])
    device.free(from)
    expect(device.counts().spareBytes).toBe(0)
    expect(numbers(await device.read(to))).toEqual([1, 2, 3, 4])
  })
})

it('serves again without asking for room that it takes already', async () => {
  await using device = await webgpu({ maxBytes: 2 ** 20 })
  const kept = device.alloc(2 ** 18)
  device.free(device.alloc(2 ** 19))
  const create = vi.spyOn(device.gpu, 'createBuffer')
  const again = device.alloc(2 ** 19)
  expect(create).not.toHaveBeenCalled()
  expect(device.counts()).toMatchObject({ heldBytes: 2 ** 18 + 2 ** 19, spareBytes: 0 })
  device.free(again)
  device.free(kept)
})

it('is read by way of memory that is no larger than it must be, where it is large', async () => {
  await using device = await webgpu()
  const large = device.alloc(2 ** 24 + 4)
  const sizes: number[] = []
  const create = device.gpu.createBuffer.bind(device.gpu)
  device.gpu.createBuffer = (descriptor) => {
    sizes.push(descriptor.size)
    return create(descriptor)
  }
  expect((await device.read(large)).length).toBe(2 ** 24 + 4)
  await device.read(large, 300)
  expect(sizes).toEqual([2 ** 24 + 4, 512])
})
