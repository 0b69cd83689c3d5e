// Buffers of the cpu device: a block of the heap, known by its address.
import type { Buffer } from '@shoal/core'
import { ClosedError, InternalError } from '@shoal/core'
import type { Heap } from './memory.ts'

/** A block of one heap. */
export class CpuBuffer implements Buffer {
  readonly bytes: number
  readonly address: number
  readonly heap: Heap
  freed = false
  constructor(heap: Heap, bytes: number, address: number = heap.alloc(bytes)) {
    this.heap = heap
    this.bytes = bytes
    this.address = address
  }
  /** What follows `offset` bytes of this block, for as long as the block is held. */
  from(offset: number): CpuBuffer {
    return new CpuBuffer(this.heap, this.bytes - offset, this.address + offset)
  }
}

/** The buffer as this heap's own. @throws InternalError for buffers of other devices, ClosedError for freed ones. */
export function ownBuffer(buffer: Buffer | undefined, heap: Heap): CpuBuffer {
  if (!(buffer instanceof CpuBuffer) || buffer.heap !== heap)
    throw new InternalError('a buffer of another device was given to this cpu device')
  if (buffer.freed) throw new ClosedError('a buffer was used after it was freed')
  return buffer
}
