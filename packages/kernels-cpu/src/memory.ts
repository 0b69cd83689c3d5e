// The device's memory: one WebAssembly.Memory, handed out in blocks. Growing detaches typed arrays over it, so nobody but the heap keeps one.
import { OutOfMemoryError } from '@shoal/core'

/** Every block begins at a multiple of it: a cache line. */
const alignment = 64
const pageBytes = 65536
/** The largest WebAssembly memory: 4 GiB less the last page, so that the end of a block is always a 32-bit address. */
export const largestMemory: number = 4 * 2 ** 30 - pageBytes
/** The first bytes belong to the thread pool; address 0 is never handed out. */
export const reservedBytes = 1024

/** A free block. */
interface Hole {
  address: number
  bytes: number
}

/** A memory and who holds what in it. */
export class Heap {
  readonly memory: WebAssembly.Memory
  readonly shared: boolean
  /** Bytes up to which the memory may grow. */
  readonly maxBytes: number
  /** Free blocks by address; no two of them touch. */
  readonly #holes: Hole[] = []
  readonly #held = new Map<number, number>()
  /** Everything beyond is free. */
  #end = reservedBytes
  #heldBytes = 0
  /** The whole memory: made anew whenever it grows. */
  #all: Uint8Array

  /** @param maxBytes rounded down to whole pages of 64 KiB, at least one. */
  constructor(maxBytes: number, shared: boolean) {
    const maximum = Math.max(1, Math.floor(Math.min(maxBytes, largestMemory) / pageBytes))
    this.maxBytes = maximum * pageBytes
    this.shared = shared
    this.memory = new WebAssembly.Memory({ initial: 1, maximum, shared })
    this.#all = new Uint8Array(this.memory.buffer)
  }

  /** Bytes that are handed out. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** The address of `bytes` bytes, a multiple of 64; they hold whatever was there. @throws OutOfMemoryError */
  alloc(bytes: number): number {
    const size = Math.max(alignment, Math.ceil(bytes / alignment) * alignment)
    // The smallest hole that fits leaves the large ones whole.
    let best = -1
    this.#holes.forEach((hole, i) => {
      if (hole.bytes >= size && (best < 0 || hole.bytes < this.#holes[best]!.bytes)) best = i
    })
    const address = best < 0 ? this.#extend(size) : this.#take(best, size)
    this.#held.set(address, size)
    this.#heldBytes += size
    return address
  }

  /** Gives a block back; it joins the free blocks beside it. An address that is not held is left alone. */
  free(address: number): void {
    const bytes = this.#held.get(address)
    if (bytes === undefined) return
    this.#held.delete(address)
    this.#heldBytes -= bytes
    const after = this.#holes.findIndex((hole) => hole.address > address)
    const at = after < 0 ? this.#holes.length : after
    this.#holes.splice(at, 0, { address, bytes })
    this.#join(at)
    this.#join(at - 1)
    const last = this.#holes.at(-1)
    if (last && last.address + last.bytes === this.#end) {
      this.#end = last.address
      this.#holes.pop()
    }
  }

  /** The bytes of a block as they are now. Use it at once: the next allocation may detach it. */
  bytes(address: number, bytes: number): Uint8Array {
    return this.#all.subarray(address, address + bytes)
  }

  /** Copies bytes in. */
  write(address: number, data: Uint8Array): void {
    this.#all.set(data, address)
  }

  /** Copies bytes between blocks, which may be the same. */
  move(from: number, to: number, bytes: number): void {
    this.#all.copyWithin(to, from, from + bytes)
  }

  /** A copy of the bytes of a block. */
  read(address: number, bytes: number): Uint8Array {
    return this.#all.slice(address, address + bytes)
  }

  #take(index: number, size: number): number {
    const hole = this.#holes[index]!
    const { address } = hole
    if (hole.bytes === size) this.#holes.splice(index, 1)
    else {
      hole.address += size
      hole.bytes -= size
    }
    return address
  }

  #extend(size: number): number {
    const address = this.#end
    const missing = address + size - this.memory.buffer.byteLength
    if (missing > 0) {
      // Growing is cheap and pages that are not touched cost nothing: grow in steps, if there is room for one.
      const wanted = Math.min(
        Math.max(missing, this.memory.buffer.byteLength / 2),
        this.maxBytes - this.memory.buffer.byteLength,
      )
      if (!this.#grow(Math.max(wanted, missing)) && !this.#grow(missing)) throw this.#exhausted(size)
    }
    this.#end = address + size
    return address
  }

  #grow(bytes: number): boolean {
    try {
      this.memory.grow(Math.ceil(bytes / pageBytes))
      this.#all = new Uint8Array(this.memory.buffer)
      return true
    } catch {
      return false
    }
  }

  #exhausted(size: number): OutOfMemoryError {
    const free = this.#holes.reduce((sum, hole) => sum + hole.bytes, 0)
    return new OutOfMemoryError(
      `the cpu device has no ${size} bytes in one piece: ${this.#held.size} buffers hold ${this.#heldBytes} bytes, ` +
        `${free} bytes are free in ${this.#holes.length} gaps, and the memory may not grow beyond ${this.maxBytes} bytes. ` +
        'Use smaller batches, free what is not needed, or raise maxBytes.',
    )
  }

  /** Makes hole `at` and the one after it one, where they touch. */
  #join(at: number): void {
    const [hole, next] = [this.#holes[at], this.#holes[at + 1]]
    if (!hole || !next || hole.address + hole.bytes !== next.address) return
    hole.bytes += next.bytes
    this.#holes.splice(at + 1, 1)
  }
}
