// What hooks and programs need of a place that keeps checkpoints, wherever that is.
import type { Session, Variable } from '@shoal/core'

/** What is told about a checkpoint when it is saved. */
export interface CheckpointFacts {
  /** The number of steps done; at most one checkpoint is kept for each. */
  readonly step: number
  /** How good the variables are, by name. */
  readonly metrics?: Readonly<Record<string, number>>
  /**
   * Asked when all is written and only the name is missing: what it throws abandons the checkpoint, and is thrown. By then another program may
   * have taken over. Default: nobody is asked.
   */
  readonly confirm?: () => Promise<void>
}

/** Which checkpoint: the newest, the best, or that of a step. */
export type Which = 'latest' | 'best' | number

/** How a checkpoint is restored. */
export interface RestoreOptions {
  /** Default `latest`. */
  readonly which?: Which
  /** Leave variables alone that the checkpoint does not have? Default false. */
  readonly allowMissing?: boolean
  /**
   * Asked when all is read and nothing is written: what it throws leaves the variables as they are, and is thrown. By then another program may
   * have restored them, and gone on. Default: nobody is asked.
   */
  readonly confirm?: () => Promise<void>
}

/** What was restored. */
export interface Restored {
  readonly step: number
  readonly metrics: Readonly<Record<string, number>>
  /** Variables that the checkpoint does not have; they keep the values they had. */
  readonly missing: readonly string[]
}

/** Keeps checkpoints. */
export interface Saver {
  /** The step of the newest checkpoint that is whole, as far as can be told without reading all of it; undefined where there is none. */
  latest(): Promise<number | undefined>
  /** Saves the values that variables have now. */
  save(session: Session, variables: readonly Variable[], facts: CheckpointFacts): Promise<unknown>
  /** Gives variables the values of a checkpoint. */
  restore(session: Session, variables: readonly Variable[], options?: RestoreOptions): Promise<Restored>
}
