// A task that a test has started as a process: what it says can be waited for, and it can be killed.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { News, Order, TaskOptions } from './protocol.ts'

const program = fileURLToPath(new URL('task.ts', import.meta.url))
/** Milliseconds that anything may take. */
const patienceMs = 30_000

type Done = Extract<News, { readonly kind: 'done' }>

/** A process of a cluster. */
export class TaskProcess {
  /** Every line that it has logged. */
  readonly lines: string[] = []
  /** Settles with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  private readonly child: ChildProcess
  private readonly name: string

  constructor(options: TaskOptions) {
    this.name = `${options.job}-${options.task}`
    this.child = fork(program, [JSON.stringify(options)], {
      execArgv: ['--conditions=@shoal/source'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.child.on('message', (news: News) => {
      if (news.kind === 'log') this.lines.push(news.line)
    })
    this.ended = once(this.child, 'exit').then(([code, signal]) => (signal ?? code) as number | string)
  }

  /** Tells it something. */
  order(order: Order): void {
    this.child.send(order)
  }
  /** Sends it a signal. */
  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }
  /** Has it run steps, and waits for them. */
  steps(count: number): Promise<Done> {
    this.order({ kind: 'steps', count })
    return this.news(`the end of ${count} steps`, (news) => (news.kind === 'done' ? news : undefined))
  }
  /** Waits for the next step that it tells of. */
  async nextStep(): Promise<void> {
    await this.news('a step', (news) => (news.kind === 'step' ? news : undefined))
  }
  /** Waits for a line, of those that came already as well. */
  async heard(pattern: RegExp): Promise<string> {
    const known = this.lines.find((line) => pattern.test(line))
    if (known !== undefined) return known
    return this.news(`a line like ${pattern}`, (news) =>
      news.kind === 'log' && pattern.test(news.line) ? news.line : undefined,
    )
  }

  private async news<T>(what: string, wanted: (news: News) => T | undefined): Promise<T> {
    const found = Promise.withResolvers<T>()
    const take = (news: News): void => {
      const value = wanted(news)
      if (value !== undefined) found.resolve(value)
    }
    const fail = (why: string): void =>
      found.reject(new Error(`${this.name}: ${why}, awaiting ${what}; it said:\n${this.lines.join('\n')}`))
    const timer = setTimeout(() => fail(`nothing for ${patienceMs} ms`), patienceMs)
    void this.ended.then((how) => fail(`it has ended with ${how}`))
    this.child.on('message', take)
    try {
      return await found.promise
    } finally {
      clearTimeout(timer)
      this.child.off('message', take)
    }
  }
}
