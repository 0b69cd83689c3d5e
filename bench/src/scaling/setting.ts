// What is studied: a model, machines and links as numbers, and how the machines train it together.

/** How replicas come to one model, and what that is called. 16 bits are those of bfloat16; float16 has as many bytes. */
export const strategies = {
  'ps-sync': 'servers, synchronous',
  'ps-async': 'servers, asynchronous',
  ring: 'ring',
  'ring-16bit': 'ring, 16 bits',
  'local-sgd': 'local SGD, 16 bits',
} as const
export type Strategy = keyof typeof strategies

/** One study. */
export interface Setting {
  readonly strategy: Strategy
  readonly workers: number
  /** Of every machine's link, each way. */
  readonly bytesPerSecond: number
  /**
   * The model has so many times fewer bytes, and so have links a second: transfers take as long, and the study less. A square of a power of two;
   * 1 for the whole model. Heads of messages and windows of connections stay as they are, so it is for studies in which these do not matter.
   */
  readonly scale: number
  /** Gradients are exchanged together until they have so many bytes, before scaling. Default: `bucketBytesFor`. */
  readonly bucketBytes?: number
}

/** Layers of the model, all of one size. */
export const layers = 32
/** The bytes of all of them. */
export const modelBytes = 2 ** 22
/** Forward and backward pass of one step, on one machine. */
export const computeMs = 60
/** From one machine to another. */
export const latencyMs = 0.2
/** Steps between two averages of local SGD. */
export const localSteps = 64
/** So many workers share one parameter server, on a machine of its own. */
export const workersPerServer = 4

/** Bytes of a bucket: a layer at least, and no less than 16 KiB for each worker, for in a ring each handles its part. */
export const bucketBytesFor = (workers: number): number => Math.max(modelBytes / layers, 2 ** 14 * workers)

/** Parameter servers of a study. */
export const serversFor = (workers: number): number => Math.ceil(workers / workersPerServer)

/** Links in bytes a second, by what they are called. */
export const links = { '1 Gb/s': 125e6, '100 Mb/s': 12.5e6 } as const
export type Link = keyof typeof links
