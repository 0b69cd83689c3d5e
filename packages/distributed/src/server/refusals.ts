// Who was refused, told in few lines: whoever knocks without end fills no log.
import type { Clock } from '../clock.ts'

/** Milliseconds for which what was told is not told again, but counted. */
const quietMs = 10_000
/** Different reasons that are told in that time. */
const mostReasons = 8

/** Tells each reason once in ten seconds, and how often it came besides. */
export class Refusals {
  private readonly say: (line: string) => void
  private readonly clock: Clock
  /** How often each reason has come since it was told. */
  private counts = new Map<string, number>()
  private others = 0
  private disarm: (() => void) | undefined

  constructor(say: (line: string) => void, clock: Clock) {
    this.say = say
    this.clock = clock
  }

  /** Takes one. */
  add({ message }: Error): void {
    const count = this.counts.get(message)
    if (count !== undefined) this.counts.set(message, count + 1)
    else if (this.counts.size === mostReasons) this.others++
    else {
      this.counts.set(message, 0)
      this.say(`refused a connection: ${message}`)
    }
    this.disarm ??= this.clock.after(quietMs, () => this.sum())
  }

  /** Tells what was not told yet, and is quiet. */
  close(): void {
    this.disarm?.()
    this.sum()
  }

  private sum(): void {
    const again = [...this.counts].filter(([, count]) => count > 0)
    for (const [message, count] of again) this.say(`refused ${count} more: ${message}`)
    if (this.others > 0) this.say(`refused ${this.others} more, for other reasons`)
    this.counts = new Map()
    this.others = 0
    this.disarm = undefined
  }
}
