// What one server has to know to start: the cluster, which task of it the server is, and how its sessions are made.
import type { OptionRules, SessionOptions } from '@shoal/core'
import { checkOptions, formatDeviceName, optionRules, parseDeviceName, sayValue } from '@shoal/core'
import { ClusterError } from './clusterError.ts'
import type { ClusterDef } from './clusterSpec.ts'
import { chiefOf, ClusterSpec } from './clusterSpec.ts'

/** How the sessions of a server are made where their client does not say otherwise. All of it can be written as JSON. */
export interface ServerSessionOptions
  extends Pick<SessionOptions, 'seed' | 'fusion' | 'maxActivationBytes' | 'softPlacement' | 'maxPrograms'> {
  /** Device names in part, such as `/job:ps`: a session speaks only to tasks that one of them fits, and to its own. Default: to all. */
  readonly deviceFilters?: readonly string[]
}

/** A server as it is written, in JSON too. */
export interface ServerOptions {
  readonly cluster: ClusterSpec | ClusterDef
  readonly job: string
  /** The number of the task in its job. */
  readonly task: number
  readonly session?: ServerSessionOptions
}

const sessionRules: OptionRules<ServerSessionOptions> = {
  seed: optionRules.whole(),
  fusion: optionRules.boolean,
  maxActivationBytes: optionRules.from(0),
  softPlacement: optionRules.boolean,
  maxPrograms: optionRules.whole(0),
  deviceFilters: optionRules.list('a list of device names', (name) => typeof name === 'string'),
}

/** One server of a cluster. Immutable, checked when it is made. */
export class ServerDef {
  readonly cluster: ClusterSpec
  readonly job: string
  readonly task: number
  readonly session: ServerSessionOptions

  /**
   * An evaluator may be missing in the cluster: it reads checkpoints, and takes no part in what the others do.
   * @throws ClusterError for a cluster that is none, or that does not have the task; ValueError for a session option that is none.
   */
  constructor({ cluster, job, task, session = {} }: ServerOptions) {
    this.cluster = new ClusterSpec(cluster)
    if (!Number.isSafeInteger(task) || task < 0)
      throw new ClusterError(`the task of a server is a whole number from 0, got ${sayValue(task)}`)
    if (job !== 'evaluator') this.cluster.addressOf(job, task)
    checkOptions('the session of a server', session, sessionRules)
    session.deviceFilters?.forEach(parseDeviceName)
    this.job = job
    this.task = task
    this.session = session
  }

  /** Where it listens; undefined for an evaluator that is not in the cluster. */
  get address(): string | undefined {
    const { cluster, job, task } = this
    return cluster.has(job, task) ? cluster.addressOf(job, task) : undefined
  }
  /** `/job:worker/task:1`: what the names of its devices begin with. */
  get name(): string {
    return formatDeviceName({ job: this.job, task: this.task })
  }
  /** Is it the one that looks after what the cluster does once: initial values, checkpoints, summaries? */
  get isChief(): boolean {
    const chief = chiefOf(this.cluster)
    return chief?.job === this.job && chief.task === this.task
  }
  /** The server as it is written: `new ServerDef(JSON.parse(JSON.stringify(server)))` is the same server. */
  toJSON(): ServerOptions {
    const { cluster, job, task, session } = this
    return { cluster: cluster.toJSON(), job, task, session }
  }
}
