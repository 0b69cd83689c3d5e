// Makes sessions ready for training: the chief gives variables their values, from the newest checkpoint or their initial ones; all others wait for it.
import type { Session, Variable } from '@shoal/core'
import type { Saver } from '@shoal/train'
import type { Clock } from '../clock.ts'
import { asError, DeadlineError } from '../errors.ts'
import { Backoff, pause } from '../backoff.ts'
import type { Chiefship } from './chiefship.ts'
import { SupersededError } from './lease.ts'
import { isSystemError } from './systemError.ts'

/** How sessions are made ready. */
export interface SessionManagerOptions {
  /** Opens a session on the cluster. @throws UnavailableError where a task is missing. */
  readonly open: (signal: AbortSignal | undefined) => Promise<Session>
  /** Who asks, for messages: `/job:worker/task:1`. */
  readonly name: string
  readonly chiefship: Chiefship
  /** Variables that checkpoints hold. */
  readonly saved: readonly Variable[]
  /** Variables that must have a value as well, and that no checkpoint holds. */
  readonly others: readonly Variable[]
  /** Is called before variables are given values, on servers that may be at work. */
  readonly beforeFill?: ((session: Session) => Promise<void>) | undefined
  /** Left out: variables that are lost begin anew. */
  readonly saver?: Saver | undefined
  readonly readyDeadlineMs: number
  readonly clock: Clock
  readonly random: () => number
  readonly log: (line: string) => void
}

/** How many names a message lists. */
const listed = 5

/** Opens sessions, and answers them when training can go on in them. */
export class SessionManager {
  private readonly options: SessionManagerOptions

  constructor(options: SessionManagerOptions) {
    this.options = options
  }

  /**
   * A session in which every variable has a value. Variables that have all kept theirs stay as they are, whoever was started anew: live values are
   * newer than any checkpoint. Where one has lost its value, the chief restores all of the newest checkpoint, so that they are of one moment.
   * @throws UnavailableError where a task is missing or was lost meanwhile: another attempt may succeed. DeadlineError naming the chief and the
   * variables when they did not come in time. CheckpointError where no checkpoint fits.
   */
  async prepare(signal?: AbortSignal): Promise<Session> {
    const session = await this.options.open(signal)
    try {
      await this.makeReady(session, signal)
      return session
    } catch (error) {
      await session.close()
      throw error
    }
  }

  private async makeReady(session: Session, signal: AbortSignal | undefined): Promise<void> {
    const { name, chiefship, saved, others, readyDeadlineMs, clock, random, log } = this.options
    const until = clock.now() + readyDeadlineMs
    const backoff = new Backoff({ firstMs: 50, mostMs: 2000, random })
    let said = ''
    for (;;) {
      signal?.throwIfAborted()
      const missing = await session.uninitialized([...saved, ...others])
      if (missing.length === 0) return
      const { elected } = chiefship
      if (elected && (await this.fill(session, missing))) return
      const what = `${chiefship.chief} to initialise ${namesOf(missing)}`
      const ms = backoff.next()
      if (clock.now() + ms > until)
        throw new DeadlineError(`${name}: waited ${readyDeadlineMs} ms for ${what}`)
      if (!elected && said !== chiefship.chief) log(`${name}: waiting for ${what}`)
      said = chiefship.chief
      await pause(ms, clock, signal)
    }
  }

  /** Gives variables values, if this task is the chief by the lease as well, and stays it until then. Answers whether it did. */
  private async fill(session: Session, missing: readonly Variable[]): Promise<boolean> {
    const { name, log } = this.options
    try {
      await this.demandOffice()
      await this.restoreOrInitialize(session, missing)
      return true
    } catch (error) {
      if (!(error instanceof SupersededError)) throw error
      log(`${name} is not chief any more: ${error.message}`)
      return false
    }
  }

  /** A full disk keeps nobody from training. @throws SupersededError where another task has taken the lease. */
  private readonly demandOffice = async (): Promise<void> => {
    const { name, chiefship, log } = this.options
    try {
      await chiefship.hold()
    } catch (error) {
      if (!isSystemError(error)) throw error
      log(`${name}: the lease of the chief could not be taken: ${asError(error).message}`)
    }
  }

  private async restoreOrInitialize(session: Session, missing: readonly Variable[]): Promise<void> {
    const { name, saved, others, saver, beforeFill, log } = this.options
    await beforeFill?.(session)
    const lost = saved.filter((variable) => missing.includes(variable))
    const step = lost.length > 0 ? await saver?.latest() : undefined
    if (saver && step !== undefined) {
      // What others take for a sign that all is done comes last: the values of variables that have none.
      const kept = saved.filter((variable) => !missing.includes(variable))
      // Reading takes its time, in which another chief may have done all this: training goes on then, with values that are newer.
      const confirm = this.demandOffice
      const first = kept.length > 0 ? await saver.restore(session, kept, { confirm }) : undefined
      const restored = await saver.restore(session, lost, { confirm, ...(first && { which: first.step }) })
      log(`${name} restored the checkpoint of step ${restored.step}: ${namesOf(lost)} had no values`)
    }
    await this.demandOffice()
    await session.initialize([...saved, ...others])
    if (lost.length > 0 && step === undefined)
      log(`${name} gave ${namesOf(lost)} initial values: there is no checkpoint`)
  }
}

function namesOf(variables: readonly Variable[]): string {
  const names = variables.slice(0, listed).map(({ name }) => `'${name}'`)
  const more = variables.length - names.length
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
