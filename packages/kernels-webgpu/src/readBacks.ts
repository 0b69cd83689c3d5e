// Memory that the GPU copies results to and the host reads, used again and again.
import { mapMode, usage } from './usage.ts'

/** Bytes of idle memory that are kept. */
const keptBytes = 2 ** 24

/** Read-back buffers by size; those that are kept are powers of two. */
export class ReadBacks {
  private readonly device: GPUDevice
  private readonly idle = new Map<number, GPUBuffer[]>()
  private readonly taken = new Set<GPUBuffer>()
  private bytes = 0

  constructor(device: GPUDevice) {
    this.device = device
  }

  /** A buffer for `size` bytes, to be copied to. */
  take(size: number): GPUBuffer {
    // What is too large to be kept is as large as it must be: a power of two may be beyond the limits.
    const whole = size > keptBytes ? size : Math.max(256, 2 ** Math.ceil(Math.log2(size)))
    const known = this.idle.get(whole)?.pop()
    if (known) this.bytes -= whole
    const buffer = known ?? this.device.createBuffer({ size: whole, usage: usage.mapRead | usage.copyTarget })
    this.taken.add(buffer)
    return buffer
  }

  /** What was copied to a buffer, when the GPU is through; the buffer goes back. */
  async read(buffer: GPUBuffer, bytes: number): Promise<Uint8Array> {
    try {
      await buffer.mapAsync(mapMode.read, 0, Math.ceil(bytes / 4) * 4)
      const data = new Uint8Array(buffer.getMappedRange(0, Math.ceil(bytes / 4) * 4)).slice(0, bytes)
      buffer.unmap()
      return data
    } finally {
      this.give(buffer)
    }
  }

  destroy(): void {
    for (const buffer of [...this.taken, ...[...this.idle.values()].flat()]) buffer.destroy()
    this.taken.clear()
    this.idle.clear()
  }

  private give(buffer: GPUBuffer): void {
    if (!this.taken.delete(buffer)) return
    if (buffer.mapState !== 'unmapped' || this.bytes + buffer.size > keptBytes) return buffer.destroy()
    this.bytes += buffer.size
    const same = this.idle.get(buffer.size)
    if (same) same.push(buffer)
    else this.idle.set(buffer.size, [buffer])
  }
}
