// Another process, and what can be asked of it.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { NodeCredentials } from '@shoal/distributed/node'
import type { Carrier } from './carrier.ts'
import type { Question } from './far.ts'
import type { Held } from './memory.ts'

/** A process that serves. */
export class FarEnd {
  readonly #process: ChildProcess
  /** One question at a time: answers come in their order. */
  #last: Promise<unknown> = Promise.resolve()
  readonly #addresses = new Map<Carrier, string>()

  private constructor(child: ChildProcess) {
    this.#process = child
  }

  /** Starts carriers, and tasks at their addresses. Those that are threads need nobody. */
  static async start(
    carriers: readonly Carrier[],
    tasks: readonly string[],
    credentials: NodeCredentials,
  ): Promise<FarEnd> {
    const far = new FarEnd(fork(new URL('far.ts', import.meta.url)))
    const serving = carriers.filter(({ serve }) => serve)
    const names = serving.map(({ name, link }) => [name, link] as const)
    const addresses = await far.#ask<string[]>({ ask: 'serve', carriers: names, tasks, credentials })
    serving.forEach((carrier, i) => far.#addresses.set(carrier, addresses[i]!))
    return far
  }

  /** Where a carrier is reached; empty for threads. */
  addressOf(carrier: Carrier): string {
    return this.#addresses.get(carrier) ?? ''
  }

  /** Its processor time so far, in ms. */
  cpu(): Promise<number> {
    return this.#ask({ ask: 'cpu' })
  }

  /** From now on it watches what it holds. */
  async watch(): Promise<void> {
    await this.#ask({ ask: 'watch' })
  }

  /** The most that it has held since `watch`. */
  watched(): Promise<Held> {
    return this.#ask({ ask: 'watched' })
  }

  async close(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.disconnect()
    await ended
  }

  #ask<T>(question: Question): Promise<T> {
    const asked = this.#last.then(async () => {
      const ended = new AbortController()
      const lost = once(this.#process, 'exit', { signal: ended.signal }).then(() => {
        throw new Error(`the far end was lost when it was asked to ${question.ask}`)
      })
      const told = once(this.#process, 'message', { signal: ended.signal })
      this.#process.send(question)
      try {
        const [answer] = (await Promise.race([told, lost])) as [T]
        return answer
      } finally {
        lost.catch(() => undefined)
        told.catch(() => undefined)
        ended.abort()
      }
    })
    this.#last = asked.catch(() => undefined)
    return asked
  }
}
