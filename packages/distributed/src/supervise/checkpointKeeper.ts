// Saves checkpoints while training, by steps and by time, for as long as this task is chief. What goes wrong on the disk ends no training.
import type { Session, Variable } from '@shoal/core'
import type { Metrics, Saver } from '@shoal/train'
import type { Clock } from '../clock.ts'
import type { Chiefship } from './chiefship.ts'
import { SupersededError } from './lease.ts'
import { isSystemError } from './systemError.ts'

/** What is saved, and when. */
export interface CheckpointKeeperOptions {
  readonly saver: Saver
  readonly variables: readonly Variable[]
  readonly chiefship: Chiefship
  /** Who saves, for messages. */
  readonly name: string
  readonly everySteps: number | undefined
  readonly everySeconds: number | undefined
  readonly clock: Clock
  readonly log: (line: string) => void
}

/** When the last checkpoint was due, and how many steps were done then. */
interface Mark {
  readonly step: number
  readonly atMs: number
}

/** The checkpoints of a training. */
export class CheckpointKeeper {
  private readonly options: CheckpointKeeperOptions
  private last: Mark | undefined
  private savedStep: number | undefined

  constructor(options: CheckpointKeeperOptions) {
    this.options = options
  }

  /** Training begins at a step, or goes on there in another session. What is due is counted on, unless training was set back. */
  begin(step: number): void {
    const { last } = this
    if (!last || step < last.step) this.last = { step, atMs: last?.atMs ?? this.options.clock.now() }
    this.savedStep = undefined
  }

  /** After a step: saves, if it is time and this task is chief. @throws what the session throws; errors of the file system are logged. */
  async stepDone(session: Session, step: number, metrics: Metrics): Promise<void> {
    const { chiefship, everySteps = Infinity, everySeconds = Infinity, clock, name, log } = this.options
    const now = clock.now()
    // Who becomes chief in the middle of training begins to count then.
    if (!chiefship.elected) this.last = undefined
    else if (!this.last) this.last = { step, atMs: now }
    else if (step - this.last.step >= everySteps || now - this.last.atMs >= 1000 * everySeconds) {
      this.last = { step, atMs: now }
      try {
        await this.save(session, step, metrics)
      } catch (error) {
        if (!isSystemError(error)) throw error
        log(`${name}: no checkpoint of step ${step}, the next attempt is the next save: ${error.message}`)
      }
    }
  }

  /** At the end: saves what was not yet saved, if this task is chief. @throws errors of the file system as well. */
  async end(session: Session, step: number, metrics: Metrics): Promise<void> {
    if (this.options.chiefship.elected && step !== this.savedStep) await this.save(session, step, metrics)
  }

  private async save(session: Session, step: number, metrics: Metrics): Promise<void> {
    const { saver, variables, chiefship, name, log } = this.options
    try {
      await chiefship.hold()
      await saver.save(session, variables, { step, metrics, confirm: chiefship.confirm })
      this.savedStep = step
    } catch (error) {
      if (!(error instanceof SupersededError)) throw error
      log(`${name}: no checkpoint of step ${step}, another task is chief: ${error.message}`)
    }
  }
}
