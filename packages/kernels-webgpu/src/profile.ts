// How long each dispatch takes on the GPU: two timestamps for every one, in a pass of its own.
import { mapMode, usage } from './usage.ts'

/** The time that one dispatch took. */
export interface KernelTime {
  /** The kernel, as it is named in traces. */
  readonly kernel: string
  readonly nanoseconds: number
}

/** Dispatches of one profile; those beyond are not timed. */
const most = 2048

/** Collects timestamps while it is the profile of a device's commands. */
export class Profile {
  private readonly device: GPUDevice
  private readonly queries: GPUQuerySet
  private readonly results: GPUBuffer
  private readonly names: string[] = []

  constructor(device: GPUDevice) {
    this.device = device
    this.queries = device.createQuerySet({ type: 'timestamp', count: 2 * most })
    this.results = device.createBuffer({ size: 16 * most, usage: usage.queryResolve | usage.copySource })
  }

  /** Where the next dispatch leaves its timestamps; undefined when there are too many. */
  next(kernel: string): GPUComputePassTimestampWrites | undefined {
    if (this.names.length >= most) return undefined
    const first = 2 * (this.names.push(kernel) - 1)
    return { querySet: this.queries, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 }
  }

  /** Has a batch put into memory what it measured. */
  resolve(encoder: GPUCommandEncoder): void {
    if (this.names.length > 0)
      encoder.resolveQuerySet(this.queries, 0, 2 * this.names.length, this.results, 0)
  }

  /** The times, in the order of the dispatches. Ends the profile. */
  async times(): Promise<KernelTime[]> {
    const bytes = 16 * this.names.length
    if (bytes === 0) return []
    const target = this.device.createBuffer({ size: bytes, usage: usage.mapRead | usage.copyTarget })
    const encoder = this.device.createCommandEncoder()
    encoder.copyBufferToBuffer(this.results, 0, target, 0, bytes)
    this.device.queue.submit([encoder.finish()])
    await target.mapAsync(mapMode.read)
    const stamps = new BigUint64Array(target.getMappedRange().slice(0))
    target.destroy()
    return this.names.map((kernel, i) => ({
      kernel,
      nanoseconds: Number(stamps[2 * i + 1]! - stamps[2 * i]!),
    }))
  }

  destroy(): void {
    this.queries.destroy()
    this.results.destroy()
  }
}
