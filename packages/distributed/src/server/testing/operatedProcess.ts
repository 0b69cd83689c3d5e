// A program that a test starts as an operator would: what it says can be waited for, and its exit code.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { OperatedOptions } from './operated.ts'

const program = fileURLToPath(new URL('operated.ts', import.meta.url))
/** Milliseconds that anything may take. */
const patienceMs = 60_000

/** A process. */
export class OperatedProcess implements AsyncDisposable {
  /** Every line that it has written. */
  readonly lines: string[] = []
  /** Settles with its exit code, or the signal that ended it, once all its lines are there. */
  readonly ended: Promise<number | NodeJS.Signals>
  private readonly child: ChildProcess
  private readonly listeners = new Set<() => void>()

  /** @param config TF_CONFIG, as text or as what becomes it; undefined: it is missing. */
  constructor(config: unknown, options: OperatedOptions) {
    const { TF_CONFIG: _, ...env } = process.env
    const text = typeof config === 'string' ? config : JSON.stringify(config)
    this.child = spawn(process.execPath, ['--conditions=@shoal/source', program, JSON.stringify(options)], {
      env: { ...env, ...(config !== undefined && { TF_CONFIG: text }) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    createInterface(this.child.stdout!).on('line', (line) => {
      this.lines.push(line)
      for (const listener of this.listeners) listener()
    })
    this.ended = once(this.child, 'close').then(
      ([code, signal]) => (signal ?? code) as number | NodeJS.Signals,
    )
  }

  /** Sends it a signal. */
  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Waits for a line, of those that came already as well. */
  async line(pattern: RegExp): Promise<string> {
    const found = Promise.withResolvers<string>()
    const look = (): void => {
      const line = this.lines.find((one) => pattern.test(one))
      if (line !== undefined) found.resolve(line)
    }
    const fail = (why: string): void =>
      found.reject(new Error(`${why}, awaiting ${pattern}; it said:\n${this.lines.join('\n')}`))
    const timer = setTimeout(() => fail(`nothing for ${patienceMs} ms`), patienceMs)
    this.listeners.add(look)
    look()
    void this.ended.then((how) => fail(`it has ended with ${how}`))
    try {
      return await found.promise
    } finally {
      clearTimeout(timer)
      this.listeners.delete(look)
    }
  }

  /** Ends it, however it is. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('SIGKILL')
    await this.ended
  }
}
