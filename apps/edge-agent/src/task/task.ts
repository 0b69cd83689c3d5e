// What every program of a job is given: who it is, what it was told, its data and devices, and where to say how it goes.
import type { Device } from '@shoal/core'
import { NotFoundError, PlacementError } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { openDataset, type ShardedDataset } from '../blobs/dataset.ts'
import type { Json } from '../jobs/json.ts'
import { demandModelName, findModel, mainModel, modelKey } from './models.ts'
import { type TaskContext, taskName } from './taskContext.ts'

/** One task of a job, as its program sees it. */
export class Task {
  /** `worker:2`. */
  readonly name: string
  /** Its job of the cluster: `worker`. */
  readonly job: string
  /** Its number in that job, from 0. */
  readonly index: number
  /** The node that it runs on, for people. */
  readonly node: string
  /** How often it, or the gang that it is of, was begun before. */
  readonly attempt: number
  /** What the command was told by flags: JSON. */
  readonly settings: Readonly<Record<string, Json>>
  /** Aborted when the task is to stop: whoever waits for something gives it up. */
  readonly signal: AbortSignal
  protected readonly context: TaskContext

  /** The runtime makes tasks. */
  constructor(context: TaskContext) {
    const { assignment, stopped } = context.port
    this.context = context
    this.name = taskName(assignment.task)
    this.job = assignment.task.job
    this.index = assignment.task.index
    this.node = assignment.node
    this.attempt = assignment.attempt
    this.settings = assignment.settings
    this.signal = stopped
  }

  /** Says a line, which whoever watches the job sees. What the program prints is seen as well. */
  log(line: string): void {
    this.context.port.services.log('stdout', line)
  }

  /**
   * The files of a dataset that the job was given, by its name; shards come from the agent when they are read.
   * @throws NotFoundError naming the datasets that there are, DatasetError for one that contradicts itself
   */
  dataset(name: string): ShardedDataset {
    const { assignment, services } = this.context.port
    const manifest = Object.hasOwn(assignment.datasets, name) ? assignment.datasets[name] : undefined
    if (manifest) return openDataset(manifest, (hash) => services.getBlob(hash, { signal: this.signal }))
    const known = Object.keys(assignment.datasets)
    throw new NotFoundError(
      `the job has no dataset '${name}': ${known.length > 0 ? `it has ${known.join(', ')}` : 'it was given none'}`,
    )
  }

  /**
   * New devices to compute on, in order of preference: the GPU, where the job has asked for nodes with one, and a cpu of one thread, since a node gives
   * each of its tasks a core.
   * @throws PlacementError naming the node whose GPU cannot be opened
   */
  async devices(): Promise<readonly Device[]> {
    const own = cpu({ threads: 1 })
    if (!this.context.port.assignment.devices.includes('webgpu')) return [own]
    // Loaded here, for most tasks have none.
    const { webgpu } = await import('@shoal/kernels-webgpu')
    const gpu = await webgpu().catch((cause: Error) => {
      throw new PlacementError(`the GPU of '${this.node}' cannot be opened: ${cause.message}`, { cause })
    })
    return [gpu, own]
  }

  /**
   * The bytes of a model that a job has saved: what a training kept, the best of a search, or an ensemble.
   * @param name Default: that which models have that were given none.
   * @param from.jobId another job, which this one may read. Default: this one.
   * @throws NotFoundError where there is none
   */
  loadModel(name: string = mainModel, from: { readonly jobId?: string } = {}): Promise<Uint8Array> {
    return findModel(this.context, modelKey(demandModelName(name)), from)
  }
}
