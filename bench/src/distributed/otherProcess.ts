// Another process of this bench, and what can be asked of it.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** What a program answers, one question after the other. */
export const answering = <Question>(answer: (question: Question) => unknown): void => {
  process.on('message', (question: Question) => {
    void Promise.resolve(answer(question)).then((told) => process.send!(told ?? null))
  })
  process.once('disconnect', () => process.exit())
}

/** A process that answers questions. */
export class OtherProcess<Question extends object> {
  readonly #process: ChildProcess
  readonly #ended: Promise<never>

  /** @param program the file that it runs */
  constructor(program: URL) {
    this.#process = fork(program)
    this.#ended = once(this.#process, 'exit').then(([code, signal]) => {
      throw new Error(`${program.pathname} ended with ${String(signal ?? code)}`)
    })
    // Nobody may be asking it anything.
    this.#ended.catch(() => undefined)
  }

  /** Its answer. One question at a time. @throws Error when the process has ended. */
  async ask(question: Question): Promise<unknown> {
    const told = once(this.#process, 'message')
    this.#process.send(question)
    const [answer] = (await Promise.race([told, this.#ended])) as [unknown]
    return answer
  }

  async close(): Promise<void> {
    this.#process.disconnect()
    await this.#ended.catch(() => undefined)
  }
}
