// The session of the moment: when a task was lost it is closed, and another one opened in its place, a bounded number of times.
import type { Session } from '@shoal/core'
import { ClosedError } from '@shoal/core'
import type { Clock } from '../clock.ts'
import { UnavailableError } from '../errors.ts'
import { Backoff, pause } from '../backoff.ts'

/** How sessions follow each other. */
export interface SteadySessionOptions {
  /** Who needs them, for messages: `/job:worker/task:1`. */
  readonly name: string
  /** Opens one that is ready. @throws UnavailableError where another attempt may succeed. */
  readonly prepare: (signal: AbortSignal | undefined) => Promise<Session>
  /** Is told of each session before anybody uses it; may throw as `prepare`. */
  readonly opened: (session: Session) => Promise<void>
  /** Where the work stands, for messages: `step 12`. */
  readonly where: () => string
  /** Sessions that may be opened in a row without progress in between. */
  readonly maxRestarts: number
  readonly signal: AbortSignal | undefined
  readonly clock: Clock
  readonly random: () => number
  readonly log: (line: string) => void
}

/** Sessions, one after the other. */
export class SteadySession {
  private readonly options: SteadySessionOptions
  private readonly backoff: Backoff
  private current: Session | undefined
  private restarts = 0
  /** Was there ever a session that could be lost? */
  private begun = false

  constructor(options: SteadySessionOptions) {
    this.options = options
    this.backoff = new Backoff({ firstMs: 100, mostMs: 5000, random: options.random })
  }

  /** The one that is open. @throws ClosedError before `open` and after `close`. */
  get session(): Session {
    if (!this.current) throw new ClosedError(`${this.options.name}: its session is not open`)
    return this.current
  }

  /** Is there one? */
  get isOpen(): boolean {
    return this.current !== undefined
  }

  /** Opens sessions until one is ready. @throws UnavailableError when there were enough attempts, and whatever else an attempt throws. */
  async open(): Promise<void> {
    const { prepare, opened, signal } = this.options
    while (!this.current) {
      let session: Session | undefined
      try {
        session = await prepare(signal)
        await opened(session)
        this.current = session
        this.begun = true
      } catch (error) {
        await session?.close()
        if (!(error instanceof UnavailableError)) throw error
        await this.lost(error)
      }
    }
  }

  /** Does something in the present session; when a task is lost meanwhile, opens another session and answers undefined. */
  async surviving<T>(work: (session: Session) => Promise<T>): Promise<T | undefined> {
    try {
      return await work(this.session)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      await this.lost(error)
      await this.open()
      return undefined
    }
  }

  /** Work has got on: attempts are counted anew from here. */
  progressed(): void {
    this.restarts = 0
    this.backoff.reset()
  }

  /** Closes the present session. */
  async close(): Promise<void> {
    const session = this.current
    this.current = undefined
    await session?.close()
  }

  private async lost(error: UnavailableError): Promise<void> {
    await this.close()
    const { name, where, maxRestarts, signal, clock, log } = this.options
    if (this.restarts === maxRestarts)
      throw new UnavailableError(
        `${name}: gave up at ${where()}, after ${maxRestarts} more attempts without progress: ${error.message}`,
        { cause: error },
      )
    this.restarts++
    const which = `attempt ${this.restarts} of ${maxRestarts}`
    const what = this.begun
      ? `lost its session at ${where()}, opens another`
      : 'could not open a session, tries again'
    log(`${name}: ${what}, ${which}: ${error.message}`)
    await pause(this.backoff.next(), clock, signal)
  }
}
