// A picture at the end of the terminal that changes in place, while lines scroll by above it.
import type { Clock } from '@shoal/distributed/peers'
import { createLogUpdate } from 'log-update'
import type { Terminal } from './terminal.ts'

/** Milliseconds between two pictures: ten a second are as many as people see. */
const betweenMs = 100
/** Milliseconds after which the picture is drawn anew although nothing has happened: times in it go on. */
const idleMs = 1000

/** A picture that changes in place. */
export class LivePicture implements Disposable {
  readonly #update: ReturnType<typeof createLogUpdate>
  readonly #clock: Clock
  readonly #draw: () => readonly string[]
  #drawnAt = Number.NEGATIVE_INFINITY
  #disarm: (() => void) | undefined
  #due = Number.POSITIVE_INFINITY

  /** @param draw answers the lines of the picture at this moment. */
  constructor(terminal: Terminal, clock: Clock, draw: () => readonly string[]) {
    // The cursor stays: a program that is killed could not bring it back.
    this.#update = createLogUpdate(terminal.screen as NodeJS.WriteStream, { showCursor: true })
    this.#clock = clock
    this.#draw = draw
    this.changed()
  }

  /** What is shown has changed: it is drawn at once, or as soon as enough time has gone by. */
  changed(): void {
    this.#arm(Math.max(0, this.#drawnAt + betweenMs - this.#clock.now()))
  }

  /** Writes a line that stays, above the picture. */
  above(line: string): void {
    this.#update.clear()
    this.#update.persist(line)
    this.changed()
  }

  /** Draws for the last time, and leaves the picture where it is. */
  [Symbol.dispose](): void {
    this.#disarm?.()
    this.#paint()
    this.#update.done()
  }

  #arm(ms: number): void {
    const due = this.#clock.now() + ms
    if (due >= this.#due) return
    this.#disarm?.()
    this.#due = due
    this.#disarm = this.#clock.after(ms, () => {
      this.#due = Number.POSITIVE_INFINITY
      this.#paint()
      this.#arm(idleMs)
    })
  }

  #paint(): void {
    this.#drawnAt = this.#clock.now()
    this.#update(this.#draw().join('\n'))
  }
}
