// A region of GPU memory as core sees it, and the pool that freed ones go back to.
import type { Buffer } from '@shoal/core'
import { InternalError, OutOfMemoryError } from '@shoal/core'
import type { Health } from './health.ts'
import { usage } from './usage.ts'

/** A GPUBuffer, and when it was last used. */
export class GpuBuffer implements Buffer {
  /** As many as were asked for; the GPU's buffer may have more. */
  readonly bytes: number
  readonly gpu: GPUBuffer
  /** The batch of commands that used it last. */
  lastBatch = -1
  freed = false
  constructor(bytes: number, gpu: GPUBuffer) {
    this.bytes = bytes
    this.gpu = gpu
  }
}

/** @throws InternalError for a buffer of another device, or one that was freed */
export function ownBuffer(buffer: Buffer | undefined): GpuBuffer {
  if (!(buffer instanceof GpuBuffer))
    throw new InternalError('a buffer of another device was given to the webgpu device')
  if (buffer.freed) throw new InternalError('a buffer was used after it was freed')
  return buffer
}

/** Buffers are multiples of so many bytes, so that sizes that are nearly the same can take each other's place. */
const grain = 256

/** Bytes of a buffer at most: what the device allows, and what shaders, whose indices are i32, can count. */
export const largestBuffer = ({
  limits: { maxBufferSize, maxStorageBufferBindingSize },
}: GPUDevice): number => Math.min(maxBufferSize, maxStorageBufferBindingSize, 2 ** 31 - grain)

/** Allocates, and keeps what was freed for those who ask for as much. */
export class BufferPool {
  private readonly device: GPUDevice
  private readonly maxBytes: number
  private readonly health: Health
  private readonly submit: () => void
  private readonly free = new Map<number, GpuBuffer[]>()
  private held = 0
  private spare = 0

  /**
   * @param maxBytes that all buffers together may take.
   * @param submit sends off what was enqueued: commands may still use what was freed, but not what was destroyed.
   */
  constructor(device: GPUDevice, health: Health, maxBytes: number, submit: () => void) {
    this.device = device
    this.maxBytes = maxBytes
    this.health = health
    this.submit = submit
  }

  /** Bytes of the buffers in use, and of those kept for reuse. */
  get bytes(): { readonly held: number; readonly spare: number } {
    return { held: this.held, spare: this.spare }
  }

  /** @throws OutOfMemoryError */
  take(bytes: number): GpuBuffer {
    const size = Math.max(1, Math.ceil(bytes / grain)) * grain
    const used = this.free.get(size)?.pop()
    if (used) this.spare -= size
    else this.demandRoom(size)
    const buffer = new GpuBuffer(bytes, used?.gpu ?? this.create(size))
    // Pending commands may still need what its memory held before.
    if (used) buffer.lastBatch = used.lastBatch
    this.held += size
    return buffer
  }

  give(buffer: GpuBuffer): void {
    const { size } = buffer.gpu
    buffer.freed = true
    this.held -= size
    this.spare += size
    const same = this.free.get(size)
    if (same) same.push(buffer)
    else this.free.set(size, [buffer])
    // More than is in use is not worth keeping, except for the little that comes and goes.
    if (this.spare > Math.max(this.held, 2 ** 26)) this.drop()
  }

  /** Gives up what is kept for reuse. */
  drop(): void {
    if (this.spare === 0) return
    this.submit()
    for (const buffers of this.free.values()) buffers.forEach(({ gpu }) => gpu.destroy())
    this.free.clear()
    this.spare = 0
  }

  private demandRoom(size: number): void {
    const largest = largestBuffer(this.device)
    if (size > Math.min(largest, this.maxBytes))
      throw new OutOfMemoryError(
        `one tensor takes ${size} bytes, ${size > largest ? `this GPU allows ${largest} for a buffer` : `maxBytes allows ${this.maxBytes} for all`}: use smaller batches, or split the tensor`,
      )
    if (this.held + this.spare + size > this.maxBytes) this.drop()
    if (this.held + size > this.maxBytes) throw this.outOfMemory(size)
  }

  private create(size: number): GPUBuffer {
    return this.health.during(
      'out-of-memory',
      () => this.device.createBuffer({ size, usage: usage.storage | usage.copySource | usage.copyTarget }),
      ({ message }) => this.outOfMemory(size, message),
    )
  }

  private outOfMemory(size: number, reason = `maxBytes is ${this.maxBytes}`): OutOfMemoryError {
    return new OutOfMemoryError(
      `the GPU has no room for ${size} bytes more; ${this.held} are held by variables and programs of its sessions (${reason}): use smaller batches, close sessions, or set maxActivationBytes`,
    )
  }
}
