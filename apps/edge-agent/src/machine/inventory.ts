// What a node has to offer, as it tells the others: plain data, validated where it comes from another node.
import { z } from 'zod'

const amount = z.number().min(0)

/** Something that computes. */
export const deviceSchema = z.object({
  /** What kernels it takes: 'cpu', 'webgpu'. */
  type: z.enum(['cpu', 'webgpu']),
  /** For people: the processor's or the adapter's name. */
  model: z.string().max(200),
})

/** What a self-test of half a second has measured. */
export const speedSchema = z.object({
  /** 1e9 floating-point operations per second of a float32 matrix product on one core, as Shoal's own kernels do it. */
  gflops: amount,
  /** 1e9 bytes per second that are copied in memory. */
  gigabytesPerSecond: amount,
})

/** How hot it is, where the system tells. */
export const heatSchema = z.object({
  celsius: z.number(),
  /** Has the system slowed the processor, or will it at this temperature? */
  throttled: z.boolean(),
  /** The highest clock that the system allows now, as a part of the highest of the processor; undefined where it does not tell. */
  clock: z.number().min(0).max(1).optional(),
})

/** The measured way to another node. */
export const linkSchema = z.object({
  /** Milliseconds there and back. */
  roundTripMs: amount,
  /** Bytes per second. */
  bytesPerSecond: amount,
})

/** What a node has to offer. */
export const inventorySchema = z.object({
  platform: z.string().max(40),
  /** 'arm64', 'x64'. */
  arch: z.string().max(40),
  /** Of Node, without the letter: '26.10.0'. */
  nodeVersion: z.string().max(40),
  /** Processor cores that this process may use. */
  cores: z.int().min(1),
  memoryBytes: amount,
  freeMemoryBytes: amount,
  /** Free in the file system of the state folder. */
  freeDiskBytes: amount,
  devices: z.array(deviceSchema).max(32),
  /** Undefined until the self-test is done. */
  speed: speedSchema.optional(),
  /** Undefined where the system does not tell. */
  heat: heatSchema.optional(),
  /** 0 to 1: the part of all cores that was busy in the last seconds. */
  load: z.number().min(0).max(1),
  /** To other nodes, by node id. */
  links: z.record(z.string(), linkSchema),
})

/** What a node has to offer. */
export type Inventory = z.infer<typeof inventorySchema>
/** How hot it is. */
export type Heat = z.infer<typeof heatSchema>
/** The measured way to another node. */
export type LinkQuality = z.infer<typeof linkSchema>
