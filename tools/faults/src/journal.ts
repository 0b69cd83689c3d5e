// What the processes of a cluster have said, in the order in which it was heard. All that the suite waits for is waited for here.
import type { News } from './protocol.ts'

/** A line, and who has said it. */
export interface Entry {
  readonly name: string
  readonly line: string
}

/** Lines, and where training stands. */
export class Journal {
  readonly entries: Entry[] = []
  /** The highest global step that anybody has told of. */
  step = 0
  /** How many steps of its own each task has done. */
  readonly counts = new Map<string, number>()
  /** How many steps all have done together; it never falls, as the global step does where a checkpoint is restored. */
  total = 0
  private readonly verbose: boolean
  private readonly begun = performance.now()
  private readonly waiting = new Set<() => void>()
  private failure: Error | undefined

  /** @param verbose prints every line. */
  constructor(verbose: boolean) {
    this.verbose = verbose
  }

  /** Takes what a task tells. */
  hear(name: string, news: News): void {
    if (news.kind === 'log') this.write(name, news.line)
    else if (news.kind === 'step') {
      this.step = Math.max(this.step, news.step)
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
      this.total++
    } else this.write(name, 'serves')
    this.changed()
  }
  /** Takes down what the suite does. */
  note(line: string): void {
    this.write('suite', line)
  }
  /** Everything that is waited for fails, now and later. */
  fail(why: string): void {
    this.failure ??= new Error(`${why}\n${this.tail()}`)
    this.changed()
  }
  /** Has those who wait look again. */
  changed(): void {
    for (const look of this.waiting) look()
  }

  /** The first line of a task that is like this. */
  find(name: string | RegExp, pattern: RegExp, from = 0): Entry | undefined {
    return this.entries.find(
      (entry, i) =>
        i >= from &&
        (typeof name === 'string' ? entry.name === name : name.test(entry.name)) &&
        pattern.test(entry.line),
    )
  }

  /** Waits for a line of a task, of those that came already from `from` on as well. */
  async heard(
    name: string | RegExp,
    pattern: RegExp,
    { from = 0, deadlineMs = 60_000 } = {},
  ): Promise<string> {
    await this.until(
      () => this.find(name, pattern, from) !== undefined,
      deadlineMs,
      () => `${name} to say ${pattern}`,
    )
    return this.find(name, pattern, from)!.line
  }
  /** Waits until the global step is so high. */
  reached(step: number, deadlineMs = 60_000): Promise<void> {
    return this.until(
      () => this.step >= step,
      deadlineMs,
      () => `step ${step}, at step ${this.step}`,
    )
  }
  /** Waits until a task has done so many steps more. */
  more(name: string, steps: number, deadlineMs = 60_000): Promise<void> {
    const wanted = (this.counts.get(name) ?? 0) + steps
    return this.until(
      () => (this.counts.get(name) ?? 0) >= wanted,
      deadlineMs,
      () => `${steps} more steps of ${name}`,
    )
  }

  /** Waits until something holds. @throws Error saying what did not come about in time, and what was heard last. */
  async until(holds: () => boolean, deadlineMs: number, what: () => string): Promise<void> {
    const end = Promise.withResolvers<void>()
    const look = (): void => {
      if (this.failure) end.reject(this.failure)
      else if (holds()) end.resolve()
    }
    const late = setTimeout(
      () =>
        end.reject(
          new Error(
            `waited ${Math.round(deadlineMs)} ms for ${what()}, at step ${this.step}\n${this.tail()}`,
          ),
        ),
      deadlineMs,
    )
    this.waiting.add(look)
    look()
    try {
      await end.promise
    } finally {
      clearTimeout(late)
      this.waiting.delete(look)
    }
  }

  private write(name: string, line: string): void {
    this.entries.push({ name, line })
    if (!this.verbose) return
    const seconds = ((performance.now() - this.begun) / 1000).toFixed(1).padStart(6)
    console.log(`${seconds} s  ${name.padEnd(8)}  ${line}`)
  }

  private tail(): string {
    return this.entries
      .slice(-30)
      .map(({ name, line }) => `    ${name}  ${line}`)
      .join('\n')
  }
}
