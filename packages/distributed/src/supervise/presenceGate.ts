// Asynchronous replicas as a chief looks after them: the fast wait for the slow, and nobody for the dead.
import type { Node, Session } from '@shoal/core'
import { formatDeviceName } from '@shoal/core'
import type { ClusterSpec } from '../cluster/clusterSpec.ts'
import type { TaskName } from '../cluster/deviceFilters.ts'
import type { AsyncReplicas } from '../replicate/asyncReplicas.ts'
import type { Chiefship } from './chiefship.ts'
import type { Gate } from './gate.ts'
import { isSame, type Liveness, trainingTasks } from './liveness.ts'

/** What the gate needs. */
export interface PresenceGateOptions {
  readonly replicas: AsyncReplicas
  readonly cluster: ClusterSpec
  readonly own: TaskName
  readonly liveness: Liveness
  readonly chiefship: Chiefship
  readonly log: (line: string) => void
}

/** Tells the parameter servers which replicas are living. Replica i is the i-th of the tasks that train. */
export class PresenceGate implements Gate {
  private readonly options: PresenceGateOptions
  private readonly settings = new Map<string, Node>()

  constructor(options: PresenceGateOptions) {
    this.options = options
  }

  /** Steps of different variables wait for nothing. */
  async hold(): Promise<void> {}

  /** @see Gate */
  enter(session: Session): Promise<void> {
    return this.adjust(session)
  }

  /** @see Gate */
  async adjust(session: Session): Promise<void> {
    const { replicas, chiefship, log, own } = this.options
    if (!chiefship.elected) return
    // Who dies while the servers are told of another is missed as well.
    for (let told: string | undefined; told !== this.living().join(); ) {
      const living = this.living()
      told = living.join()
      await session.run(this.setting(living))
      if (living.length < replicas.totalReplicas)
        log(
          `${formatDeviceName(own)}: ${living.length} of ${replicas.totalReplicas} replicas are living: nobody waits for the others`,
        )
    }
  }

  /** @see Gate */
  async finish(session: Session): Promise<void> {
    await session.run(this.options.replicas.finish)
  }

  private living(): number[] {
    const { replicas, cluster, own, liveness } = this.options
    const tasks = trainingTasks(cluster)
    // One that the cluster does not list cannot be known to be dead.
    const lives = (task: TaskName | undefined): boolean =>
      task === undefined || isSame(task, own) || liveness.isAlive(task)
    return Array.from({ length: replicas.totalReplicas }, (_, i) => i).filter((i) => lives(tasks[i]))
  }

  private setting(living: readonly number[]): Node {
    const key = living.join()
    const node = this.settings.get(key) ?? this.options.replicas.setLiving(living)
    this.settings.set(key, node)
    return node
  }
}
