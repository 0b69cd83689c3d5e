// What the suite says to the processes of a cluster when it starts them, and what they tell while they run.
import type { ClusterDef } from '@shoal/distributed'
import type { NodeCredentials } from '@shoal/distributed/node'

/** The ways of training that the suite knows. */
export type ArrangementName = 'asynchronous' | 'synchronous' | 'allReduce'

/** How a training goes. */
export interface TrainingOptions {
  readonly arrangement: ArrangementName
  /** Global steps. */
  readonly steps: number
  /** Examples in the batch of one worker. */
  readonly batch: number
  readonly seed: number
  /** Milliseconds that a step of one worker takes at least: so a fault lasts for as many steps on quick machines as on slow ones. */
  readonly paceMs: number
  readonly saveEverySteps: number
  /** How many starts of processes there are tickets for. */
  readonly starts: number
}

/** What a process is started with. */
export interface TaskOptions extends TrainingOptions {
  readonly cluster: ClusterDef
  readonly job: string
  readonly task: number
  readonly credentials: NodeCredentials
  /** Where checkpoints are. */
  readonly folder: string
  /** Which start of a process of this cluster it is, from 0: the later ones take the place of those that ended. */
  readonly start: number
}

/** What a process tells. */
export type News =
  | { readonly kind: 'log'; readonly line: string }
  /** It can be reached. */
  | { readonly kind: 'serves' }
  /** It has done a step of its own, and this is the global one. */
  | { readonly kind: 'step'; readonly step: number }

/** How many marks the ledger of a training has room for. */
export const marksOf = ({ arrangement, steps, starts }: TrainingOptions): number =>
  arrangement === 'asynchronous' ? starts * ticketsPerStart(steps) : steps + 64

/** Every step that a process begins takes a ticket that no other ever has, as long as it makes no more than all steps. */
export const ticketsPerStart = (steps: number): number => steps + 64
