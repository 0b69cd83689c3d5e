// Synchronous replicas as a chief looks after them: held up while variables are given values, let on, and never waiting for the dead.
import type { Node, Session } from '@shoal/core'
import { formatDeviceName } from '@shoal/core'
import type { ClusterSpec } from '../cluster/clusterSpec.ts'
import type { TaskName } from '../cluster/deviceFilters.ts'
import type { SyncReplicas, SyncStatus } from '../replicate/syncReplicas.ts'
import type { Chiefship } from './chiefship.ts'
import type { Gate } from './gate.ts'
import { isSame, type Liveness, trainingTasks } from './liveness.ts'

/** What a gate needs. */
export interface ReplicaGateOptions {
  readonly sync: SyncReplicas
  readonly cluster: ClusterSpec
  readonly own: TaskName
  readonly liveness: Liveness
  readonly chiefship: Chiefship
  readonly log: (line: string) => void
}

/** The gate of one replica; the chief's is the one that moves. */
export class ReplicaGate implements Gate {
  private readonly options: ReplicaGateOptions
  private readonly counts = new Map<number, Node>()
  private readonly status: readonly SyncStatus[]

  constructor(options: ReplicaGateOptions) {
    this.options = options
    this.status = options.sync.status()
  }

  /** Holds all replicas up, before the chief gives variables values. */
  async hold(session: Session): Promise<void> {
    await session.run(this.options.sync.hold)
  }

  /** To be called with every new session that is ready: this replica may train in it. */
  async enter(session: Session): Promise<void> {
    await session.initialize(...this.options.sync.localVariables)
    await this.adjust(session)
  }

  /** The chief lets on who is held, also where the chief before it died in between, and has steps take gradients of the living alone. */
  async adjust(session: Session): Promise<void> {
    const { sync, chiefship, log, own } = this.options
    if (!chiefship.elected) return
    const standing = await session.run(this.status)
    if (standing.some(({ step }) => Number(step.item()) < 0)) {
      await chiefship.hold()
      await session.run(sync.start)
    }
    const counts = standing.map(({ count }) => Number(count.item()))
    // Who dies while the servers are told of another is missed as well: before the session is used nobody else looks.
    for (let told: number | undefined; told !== this.countLiving(); ) {
      told = this.countLiving()
      const count = sync.takes(told)
      if (counts.every((one) => one === count)) continue
      await session.run(this.setting(told))
      counts.fill(count)
      log(
        `${formatDeviceName(own)}: ${told} of ${sync.totalReplicas} replicas are living: a step takes ${count} gradients`,
      )
    }
  }

  /** Lets whoever still waits make its step without others: training is over. */
  async finish(session: Session): Promise<void> {
    await session.run(this.options.sync.finish)
  }

  private countLiving(): number {
    const { sync, cluster, own, liveness } = this.options
    const dead = trainingTasks(cluster).filter((task) => !isSame(task, own) && !liveness.isAlive(task))
    return Math.max(1, sync.totalReplicas - dead.length)
  }

  private setting(living: number): Node {
    const node = this.counts.get(living) ?? this.options.sync.setLiving(living)
    this.counts.set(living, node)
    return node
  }
}
