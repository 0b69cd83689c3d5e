// Nodes and jobs for the tests of the scheduler, said in the few words in which they differ.
import { type JobRequest, type JobSpec, jobSpecSchema } from '../../jobs/spec.ts'
import type { Inventory, LinkQuality } from '../../machine/inventory.ts'
import type { SchedulableNode } from '../offer.ts'

/** 2 ** 30 bytes. */
export const gibibyte = 2 ** 30

/** The hash that is all of this digit. */
export const hash = (digit: string): string => digit.repeat(64)

/** What a node differs in from an idle Pi: 4 cores of 5 GFLOP/s, 4 GiB, no GPU, and nothing on its disk. */
export interface NodeTraits {
  readonly role?: SchedulableNode['role']
  readonly cores?: number
  readonly gflops?: number
  readonly memoryBytes?: number
  readonly freeMemoryBytes?: number
  readonly gpus?: number
  readonly throttled?: boolean
  readonly load?: number
  readonly links?: Readonly<Record<string, LinkQuality>>
  readonly hashes?: readonly string[]
}

/** A node that is there. */
export function node(nodeId: string, traits: NodeTraits = {}): SchedulableNode {
  const { cores = 4, gflops = 5, memoryBytes = 4 * gibibyte, gpus = 0, throttled = false } = traits
  const inventory: Inventory = {
    platform: 'linux',
    arch: 'arm64',
    nodeVersion: '26.10.0',
    cores,
    memoryBytes,
    freeMemoryBytes: traits.freeMemoryBytes ?? memoryBytes,
    freeDiskBytes: 16 * gibibyte,
    devices: [
      { type: 'cpu', model: 'Cortex-A76' },
      ...Array.from({ length: gpus }, () => ({ type: 'webgpu' as const, model: 'adapter' })),
    ],
    speed: { gflops, gigabytesPerSecond: 8 },
    heat: { celsius: throttled ? 85 : 50, throttled },
    load: traits.load ?? 0,
    links: { ...traits.links },
  }
  return { nodeId, role: traits.role ?? 'worker', inventory, hashes: new Set(traits.hashes) }
}

/** A job: a gang of two workers where nothing else is said. */
export const job = (request: Partial<JobRequest> = {}): JobSpec =>
  jobSpecSchema.parse({
    name: 'digits',
    kind: 'train',
    program: hash('0'),
    tasks: { worker: { count: 2 } },
    scheduling: 'gang',
    ...request,
  })

/** A dataset of one file in these shards. */
export const dataset = (shards: Readonly<Record<string, number>>): JobRequest['datasets'] => ({
  digits: {
    files: [
      {
        path: 'train.bin',
        bytes: Object.values(shards).reduce((sum, bytes) => sum + bytes, 0),
        shards: Object.entries(shards).map(([name, bytes]) => ({ hash: name, bytes })),
      },
    ],
  },
})
