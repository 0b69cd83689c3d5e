// What a task tells without waiting: kept in order, sent together, and bounded when it is told faster than it is taken.
import { callMethod, type Connection } from '@shoal/distributed/peers'
import { tellCall, type Told, toldAtOnce } from './calls.ts'

/** From so many things on that wait, numbers are left out. Trials never are. */
const mostWaiting = 10_000

/** Things on their way to the agent. */
export class Telling {
  readonly #connection: Connection
  readonly #odd = new Set<string>()
  #waiting: Told[] = []
  #sending: Promise<void> | undefined
  #leftOut = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Never waits, never throws. */
  tell(told: Told): void {
    if (this.#waiting.length >= mostWaiting && told.kind === 'metrics') {
      if (!this.#leftOut) console.warn('numbers are told faster than they are taken: some are left out')
      this.#leftOut = true
      return
    }
    this.#waiting.push(told.kind === 'metrics' ? { ...told, values: this.#finite(told) } : told)
    this.#sending ??= this.#send()
  }

  /** JSON has no NaN, and charts have no place for it: it is said in the log, once for each name. */
  #finite({ step, values }: Extract<Told, { kind: 'metrics' }>): Readonly<Record<string, number>> {
    const entries = Object.entries(values)
    for (const [name, value] of entries) {
      if (Number.isFinite(value) || this.#odd.has(name)) continue
      this.#odd.add(name)
      console.warn(`'${name}' is ${value} at step ${step}`)
    }
    return Object.fromEntries(entries.filter(([, value]) => Number.isFinite(value)))
  }

  /** Settles when all that was told has arrived, or cannot. */
  async finish(): Promise<void> {
    await this.#sending
  }

  async #send(): Promise<void> {
    // Things that are told in one turn go together.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const told = this.#waiting.splice(0, toldAtOnce)
      try {
        await callMethod(this.#connection, tellCall, { told }, { deadlineMs: Number.MAX_SAFE_INTEGER })
      } catch (thrown) {
        // A number that is none, say: the rest is good. Without an agent the process ends by itself.
        console.warn(`what was told was refused: ${String(thrown)}`)
      }
    }
    this.#sending = undefined
  }
}
