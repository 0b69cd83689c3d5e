// A task of a training: one of several that train a model together, with what it takes to reach the others and to survive them.
import { ClusterSpec, type Lease, Server, ServerDef } from '@shoal/distributed'
import type { Saver } from '@shoal/train'
import type { Json } from '../jobs/json.ts'
import { AgentTransport } from './agentTransport.ts'
import { attentionOf } from './attention.ts'
import { DocumentLease } from './documentLease.ts'
import { JobCheckpoints } from './jobCheckpoints.ts'
import { demandModelName, keepModel, mainModel, modelKey } from './models.ts'
import { resultKey } from './search.ts'
import { Task } from './task.ts'
import { type TaskContext, taskName, type TaskMeans } from './taskContext.ts'

/** What the `train` of a program is given, in each task of the job. */
export class TrainingTask extends Task {
  /** All tasks of the job; the address of each is its name. */
  readonly cluster: ClusterSpec
  /** Is it the one that looks after what the job does once? That is the first task of job chief, else of job master, else of job worker. */
  readonly isChief: boolean
  /** Reaches the other tasks, by their names. */
  readonly transport: AgentTransport
  /** Checkpoints that all nodes share, for `monitoredSession`, which restores from them what was lost. */
  readonly checkpoints: Saver
  /** Keeps a chief that was thought dead from writing when it comes back, for `monitoredSession`. */
  readonly lease: Lease
  readonly #def: ServerDef

  /** The runtime makes tasks. */
  constructor(context: TaskContext) {
    super(context)
    const { cluster } = context.port.assignment
    const jobs = Object.entries(cluster).map(([job, count]) => [
      job,
      Array.from({ length: count }, (_, index) => taskName({ job, index })),
    ])
    this.cluster = new ClusterSpec(Object.fromEntries(jobs))
    this.#def = new ServerDef({ cluster: this.cluster, job: this.job, task: this.index })
    this.isChief = this.#def.isChief
    this.transport = context.closing.use(new AgentTransport(context.port))
    this.checkpoints = new JobCheckpoints(context)
    this.lease = new DocumentLease(context.documents)
  }

  /** Time and chance of this task. */
  get means(): TaskMeans {
    return this.context.means
  }

  /** Tells of numbers at a step: loss, accuracy. Whoever watches the job sees them, and its history keeps them. */
  metrics(step: number, values: Readonly<Record<string, number>>): void {
    this.context.port.services.report({ step, values })
  }

  /**
   * Starts the server of this task, which knows who of the others is alive; it is closed when the program has ended, or the task is asked to stop.
   * @throws ConnectError where there is one already
   */
  async server(): Promise<Server> {
    const { closing, port } = this.context
    const server = await Server.start(this.#def, {
      devices: await this.devices(),
      transport: this.transport,
      attend: attentionOf(port),
      log: (line) => this.log(line),
    })
    this.signal.addEventListener('abort', () => void server.close(), { once: true })
    return closing.use(server)
  }

  /** Computes what the other tasks ask for until the job has no more need of it: all that a parameter server does. */
  async serve(): Promise<void> {
    await (await this.server()).join()
  }

  /** Keeps the model that the job has made; a later one of the same name takes its place. @throws ValueError for a name that is none */
  async saveModel(bytes: Uint8Array, name: string = mainModel): Promise<void> {
    const key = modelKey(demandModelName(name))
    await this.context.documents.set(key, { ...(await keepModel(this.context, bytes)) })
  }

  /** Says what the job came to, in JSON: `shoal jobs` shows it. What was said before is replaced. */
  result(values: Readonly<Record<string, Json>>): Promise<void> {
    return this.context.documents.set(resultKey, values)
  }
}
