// Being chief: the lowest living task is, and before it writes anything it makes sure by a lease that it still is.
import { formatDeviceName } from '@shoal/core'
import type { ClusterSpec } from '../cluster/clusterSpec.ts'
import type { TaskName } from '../cluster/deviceFilters.ts'
import { type Lease, SupersededError } from './lease.ts'
import { chiefAmong, type Liveness } from './liveness.ts'

/** What decides about who is chief. */
export interface ChiefshipOptions {
  readonly cluster: ClusterSpec
  readonly own: TaskName
  readonly liveness: Liveness
  /** Left out: who is alive decides alone. */
  readonly lease?: Lease | undefined
  readonly log: (line: string) => void
}

/** The office of chief, as one task sees it. */
export class Chiefship {
  private readonly options: ChiefshipOptions
  private epoch: number | undefined
  private taking: Promise<void> | undefined

  constructor(options: ChiefshipOptions) {
    this.options = options
  }

  /** Is this task chief, judged by who is alive? */
  get elected(): boolean {
    const { cluster, liveness, own } = this.options
    const chief = chiefAmong(cluster, liveness, own)
    return chief?.job === own.job && chief.task === own.task
  }
  /** The name of the chief, for messages. */
  get chief(): string {
    const { cluster, liveness, own } = this.options
    const chief = chiefAmong(cluster, liveness, own)
    return chief ? formatDeviceName(chief) : 'the chief, which this task does not know of,'
  }

  /**
   * Takes the lease, or makes sure that it is still this task's.
   * @throws SupersededError where another task has taken it since: then the next call takes it back, if the task is elected still.
   */
  hold(): Promise<void> {
    if (this.epoch !== undefined) return this.confirm()
    // Once for all who ask meanwhile: a second lease would end the first.
    this.taking ??= this.take().finally(() => {
      this.taking = undefined
    })
    return this.taking
  }

  /** @throws SupersededError unless this task has taken the lease and nobody has taken it since. */
  readonly confirm = async (): Promise<void> => {
    const { lease, own } = this.options
    if (!lease) return
    const { epoch, holder } = await lease.newest()
    if (epoch === this.epoch) return
    const mine = this.epoch ?? 'none'
    this.epoch = undefined
    throw new SupersededError(
      `${formatDeviceName(own)} had lease ${mine}, the newest is ${epoch}, of ${holder || 'nobody'}`,
    )
  }

  private async take(): Promise<void> {
    const { lease, own, log } = this.options
    if (!lease) return
    const name = formatDeviceName(own)
    this.epoch = await lease.claim(name)
    log(`${name} is chief, by lease ${this.epoch}`)
  }
}
