import { OutOfMemoryError } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { Heap } from './memory.ts'

const mebibyte = 2 ** 20

describe('Heap', () => {
  it('hands out blocks at multiples of 64 that do not overlap, and never address 0', () => {
    const heap = new Heap(mebibyte, false)
    const addresses = [1, 64, 65, 0, 1000].map((bytes) => heap.alloc(bytes))
    expect(addresses.every((address) => address > 0 && address % 64 === 0)).toBe(true)
    expect(addresses.slice(1).map((address, i) => address - addresses[i]!)).toEqual([64, 64, 128, 64])
    expect(heap.heldBytes).toBe(64 + 64 + 128 + 64 + 1024)
  })

  it('uses freed blocks again, joined with the free ones beside them', () => {
    const heap = new Heap(mebibyte, false)
    const [a, b, c, d] = [256, 256, 256, 256].map((bytes) => heap.alloc(bytes)) as [
      number,
      number,
      number,
      number,
    ]
    heap.free(a)
    heap.free(c)
    heap.free(b)
    expect(heap.alloc(768)).toBe(a)
    heap.free(d)
    expect(heap.alloc(64)).toBe(d)
  })

  it('takes the smallest hole that fits', () => {
    const heap = new Heap(mebibyte, false)
    const large = heap.alloc(1024)
    heap.alloc(64)
    const small = heap.alloc(128)
    heap.alloc(64)
    heap.free(large)
    heap.free(small)
    expect(heap.alloc(128)).toBe(small)
    expect(heap.alloc(128)).toBe(large)
  })

  it('grows up to its limit, and then says what is held and what helps', () => {
    const heap = new Heap(mebibyte, false)
    heap.alloc(500_000)
    heap.alloc(300_000)
    expect(() => heap.alloc(300_000)).toThrow(OutOfMemoryError)
    expect(() => heap.alloc(300_000)).toThrow(/2 buffers hold 8000\d\d bytes.*maxBytes/)
    expect(heap.alloc(200_000)).toBeGreaterThan(0)
    expect(heap.memory.buffer.byteLength).toBeLessThanOrEqual(mebibyte)
  })

  it('keeps what was written when it grows, shared or not', () => {
    for (const shared of [false, true]) {
      const heap = new Heap(16 * mebibyte, shared)
      const address = heap.alloc(3)
      heap.bytes(address, 3).set([1, 2, 3])
      heap.alloc(4 * mebibyte)
      expect([...heap.bytes(address, 3)]).toEqual([1, 2, 3])
    }
  })

  it('copies bytes in, out, and between blocks', () => {
    const heap = new Heap(mebibyte, false)
    const [a, b] = [heap.alloc(8), heap.alloc(8)]
    heap.write(a, Uint8Array.of(1, 2, 3, 4))
    heap.move(a + 1, b, 3)
    heap.move(a, a + 1, 3)
    const copy = heap.read(b, 3)
    heap.write(b, Uint8Array.of(9))
    expect([...copy, ...heap.bytes(a, 4)]).toEqual([2, 3, 4, 1, 1, 2, 3])
  })

  it('leaves addresses alone that it does not hold', () => {
    const heap = new Heap(mebibyte, false)
    const address = heap.alloc(64)
    heap.free(address)
    heap.free(address)
    expect(heap.heldBytes).toBe(0)
    expect([heap.alloc(64), heap.alloc(64)]).toEqual([address, address + 64])
  })
})
