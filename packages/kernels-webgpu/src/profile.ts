// How long each dispatch takes on the GPU: two timestamps for every one, in a pass of its own.
import { mapMode, usage } from './usage.ts'

/** The time that one dispatch took. */
export interface KernelTime {
  /** The kernel, as it is named in traces. */
  readonly kernel: string
  readonly nanoseconds: number
}

/** Dispatches of one set of queries: as many as WebGPU allows, at two queries each (https://www.w3.org/TR/webgpu/#queryset-creation). */
const mostOfSet = 2048

interface QuerySet {
  readonly queries: GPUQuerySet
  /** What the queries came to. */
  readonly results: GPUBuffer
}

/** Collects timestamps while it is the profile of a device's commands. */
export class Profile {
  private readonly device: GPUDevice
  private readonly most: number
  private readonly sets: QuerySet[] = []
  private readonly names: string[] = []
  /** The first set whose results are not all in memory. */
  private unresolved = 0

  /** @param most dispatches of one set of queries. Default: as many as there may be. */
  constructor(device: GPUDevice, most = mostOfSet) {
    this.device = device
    this.most = most
  }

  /** Where the next dispatch leaves its timestamps. */
  next(kernel: string): GPUComputePassTimestampWrites {
    const place = this.names.push(kernel) - 1
    const { queries } = this.sets[Math.floor(place / this.most)] ?? this.another()
    const first = 2 * (place % this.most)
    return { querySet: queries, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 }
  }

  /** Has a batch put into memory what it measured. */
  resolve(encoder: GPUCommandEncoder): void {
    for (const [i, { queries, results }] of this.sets.entries())
      if (i >= this.unresolved) encoder.resolveQuerySet(queries, 0, 2 * this.timedIn(i), results, 0)
    this.unresolved = Math.floor(this.names.length / this.most)
  }

  /** The times, in the order of the dispatches. Ends the profile. */
  async times(): Promise<KernelTime[]> {
    const size = 16 * this.names.length
    if (size === 0) return []
    const target = this.device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget })
    const encoder = this.device.createCommandEncoder()
    for (const [i, { results }] of this.sets.entries())
      encoder.copyBufferToBuffer(results, 0, target, 16 * i * this.most, 16 * this.timedIn(i))
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
    for (const { queries, results } of this.sets) {
      queries.destroy()
      results.destroy()
    }
  }

  /** Dispatches that a set has timed. */
  private timedIn(set: number): number {
    return Math.min(this.most, this.names.length - set * this.most)
  }

  private another(): QuerySet {
    const { device, most } = this
    const set = {
      queries: device.createQuerySet({ type: 'timestamp', count: 2 * most }),
      results: device.createBuffer({ size: 16 * most, usage: usage.queryResolve | usage.copySource }),
    }
    this.sets.push(set)
    return set
  }
}
