// Writes in the middle of a batch: the data waits in mapped memory of a ring, and a copy in the batch takes it from there.
import { mapMode, usage } from './usage.ts'

interface Chunk {
  readonly buffer: GPUBuffer
  used: number
}

/** What most writes in the middle of a batch fit into many times: keys of random numbers, indices, counters. */
const chunkBytes = 65536

/** Mapped memory that goes around. */
export class Uploads {
  private readonly device: GPUDevice
  private readonly mapped: Chunk[] = []
  private filling: Chunk[] = []
  private sent: Chunk[] = []
  private destroyed = false

  constructor(device: GPUDevice) {
    this.device = device
  }

  /** Has the batch write `data`, whole words, to the beginning of a buffer. */
  enqueue(encoder: GPUCommandEncoder, to: GPUBuffer, data: Uint8Array): void {
    const chunk = this.room(data.byteLength)
    new Uint8Array(chunk.buffer.getMappedRange(chunk.used, data.byteLength)).set(data)
    encoder.copyBufferToBuffer(chunk.buffer, chunk.used, to, 0, data.byteLength)
    // Mapped ranges begin at multiples of 8.
    chunk.used += Math.ceil(data.byteLength / 8) * 8
  }

  /** Ends the writing: before the batch is submitted. */
  close(): void {
    this.filling.forEach(({ buffer }) => buffer.unmap())
    this.sent.push(...this.filling.splice(0))
  }

  /** Takes the memory back when the GPU is through with it: after the batch was submitted. */
  recycle(): void {
    for (const { buffer } of this.sent.splice(0)) {
      if (buffer.size > chunkBytes) {
        buffer.destroy()
        continue
      }
      buffer.mapAsync(mapMode.write).then(
        () => (this.destroyed ? buffer.destroy() : this.mapped.push({ buffer, used: 0 })),
        () => undefined,
      )
    }
  }

  destroy(): void {
    this.destroyed = true
    for (const { buffer } of [...this.mapped.splice(0), ...this.filling.splice(0), ...this.sent.splice(0)])
      buffer.destroy()
  }

  private room(bytes: number): Chunk {
    const last = this.filling.at(-1)
    if (last && last.used + bytes <= last.buffer.size) return last
    const fresh = (bytes <= chunkBytes && this.mapped.pop()) || this.create(Math.max(chunkBytes, bytes))
    this.filling.push(fresh)
    return fresh
  }

  private create(size: number): Chunk {
    const buffer = this.device.createBuffer({
      size: Math.ceil(size / 8) * 8,
      usage: usage.mapWrite | usage.copySource,
      mappedAtCreation: true,
    })
    return { buffer, used: 0 }
  }
}
