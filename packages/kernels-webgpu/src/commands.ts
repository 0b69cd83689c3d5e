// Collects commands into batches: what is enqueued in one turn becomes one submission, with its uploads before and its read-backs behind it.
import type { GpuBuffer } from './buffer.ts'
import type { Pipeline } from './pipelines.ts'
import type { Profile } from './profile.ts'
import { ReadBacks } from './readBacks.ts'
import { Uploads } from './uploads.ts'

/** A dispatch with everything bound. */
export interface Dispatch {
  readonly pipeline: Pipeline
  readonly group: GPUBindGroup
  readonly width: number
  readonly height: number
  readonly buffers: readonly GpuBuffer[]
  readonly name: string
}

/** What the commands of a device came to. */
export interface CommandCounts {
  submits: number
  dispatches: number
  copies: number
  uploadedBytes: number
  readBytes: number
}

/** A batch of so many dispatches is submitted although more may come, so that the GPU has something to do meanwhile. */
const longest = 2048

/** So many batches may be on their way while nobody reads what comes of them. */
const mostUnread = 32

/** Enqueues work in order. */
export class Commands {
  readonly counts: CommandCounts = { submits: 0, dispatches: 0, copies: 0, uploadedBytes: 0, readBytes: 0 }
  profile: Profile | undefined
  private readonly device: GPUDevice
  private readonly uploads: Uploads
  private readonly readBacks: ReadBacks
  private encoder: GPUCommandEncoder | undefined
  private pass: GPUComputePassEncoder | undefined
  private inBatch = 0
  private batch = 0
  private unread = 0
  private flushed: Promise<void> | undefined

  constructor(device: GPUDevice) {
    this.device = device
    this.uploads = new Uploads(device)
    this.readBacks = new ReadBacks(device)
  }

  dispatch({ pipeline, group, width, height, buffers, name }: Dispatch): void {
    const pass = this.profile
      ? this.profiledPass(this.profile, name)
      : (this.pass ??= this.record().beginComputePass())
    pass.setPipeline(pipeline.gpu)
    pass.setBindGroup(0, group)
    pass.dispatchWorkgroups(width, height)
    if (this.profile) pass.end()
    for (const buffer of buffers) buffer.lastBatch = this.batch
    this.counts.dispatches++
    if (++this.inBatch >= longest) this.submit()
  }

  /** Copies between two buffers; all numbers are multiples of 4. */
  copy(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, bytes: number): void {
    if (bytes === 0) return
    this.outside().copyBufferToBuffer(from.gpu, fromOffset, to.gpu, toOffset, bytes)
    from.lastBatch = to.lastBatch = this.batch
    this.counts.copies++
  }

  /** Writes after what was enqueued before. */
  write(to: GpuBuffer, data: Uint8Array): void {
    if (data.byteLength === 0) return
    const whole = inWords(data)
    this.counts.uploadedBytes += whole.byteLength
    // What the pending commands do not touch may be written before all of them.
    if (to.lastBatch !== this.batch) this.device.queue.writeBuffer(to.gpu, 0, whole)
    else this.uploads.enqueue(this.outside(), to.gpu, whole)
  }

  /** The first `bytes` bytes as they are after what was enqueued before. */
  async read(from: GpuBuffer, bytes: number): Promise<Uint8Array> {
    if (bytes === 0) return new Uint8Array(0)
    const size = Math.ceil(bytes / 4) * 4
    const target = this.readBacks.take(size)
    this.outside().copyBufferToBuffer(from.gpu, 0, target, 0, size)
    from.lastBatch = this.batch
    this.counts.readBytes += size
    await this.schedule()
    this.unread = 0
    return this.readBacks.read(target, bytes)
  }

  /** Sends off what was enqueued. */
  submit(): void {
    if (!this.encoder) return
    this.pass?.end()
    this.profile?.resolve(this.encoder)
    const commands = this.encoder.finish()
    this.uploads.close()
    this.encoder = this.pass = undefined
    this.inBatch = 0
    this.batch++
    this.device.queue.submit([commands])
    this.uploads.recycle()
    this.counts.submits++
    this.unread++
  }

  /** Where many batches went off since somebody last waited for one: resolves when the GPU is through with them. */
  pace(): Promise<unknown> | undefined {
    if (this.unread < mostUnread) return undefined
    this.unread = 0
    return this.device.queue.onSubmittedWorkDone()
  }

  destroy(): void {
    this.encoder = this.pass = undefined
    this.uploads.destroy()
    this.readBacks.destroy()
  }

  /** The encoder, outside of a pass. */
  private outside(): GPUCommandEncoder {
    this.pass?.end()
    this.pass = undefined
    return this.record()
  }

  private record(): GPUCommandEncoder {
    void this.schedule()
    return (this.encoder ??= this.device.createCommandEncoder())
  }

  private profiledPass(profile: Profile, name: string): GPUComputePassEncoder {
    const timestampWrites = profile.next(name)
    return this.outside().beginComputePass({ timestampWrites })
  }

  /** Whatever is enqueued in this turn is sent off at its end. */
  private schedule(): Promise<void> {
    this.flushed ??= Promise.resolve().then(() => {
      this.flushed = undefined
      this.submit()
    })
    return this.flushed
  }
}

/** The bytes, filled up to whole words. */
function inWords(data: Uint8Array): Uint8Array<ArrayBuffer> {
  if (data.byteLength % 4 === 0) return data as Uint8Array<ArrayBuffer>
  const whole = new Uint8Array(Math.ceil(data.byteLength / 4) * 4)
  whole.set(data)
  return whole
}
