// What a test says to the tasks that it has started as processes, and what they answer.
import type { ClusterDef } from '../../cluster/clusterSpec.ts'
import type { NodeCredentials } from '../../security/identity.ts'

/** What a task is started with. */
export interface TaskOptions {
  readonly cluster: ClusterDef
  readonly job: string
  readonly task: number
  readonly credentials: NodeCredentials
  /** Where checkpoints are. */
  readonly folder: string
  readonly saveEverySteps: number
}

/** Orders to a task. */
export type Order =
  | { readonly kind: 'steps'; readonly count: number }
  /** Who is dead, as a control plane would find out. */
  | { readonly kind: 'dead'; readonly tasks: readonly string[] }
  | { readonly kind: 'stop' }

/** What a task tells. */
export type News =
  | { readonly kind: 'log'; readonly line: string }
  /** A step of those that were ordered is done. */
  | { readonly kind: 'step'; readonly step: number; readonly stopped: boolean }
  /** All steps that were ordered are done, or lost; with the loss of the last one. */
  | { readonly kind: 'done'; readonly step: number; readonly loss: number }
