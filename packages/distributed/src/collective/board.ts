// What one member lays out for the others in one exchange: they ask by name, before or after it is there.
import type { Message } from '../transport/contract.ts'
import { ExchangeError } from './exchangeError.ts'

/** What is asked for. */
export interface Wanted {
  readonly part: string
  /** What the asking member exchanges under the name of this part; undefined where it has said so before. */
  readonly signature: string | undefined
  readonly tag: string
}

interface Waiting extends Wanted {
  readonly resolve: (message: Message) => void
  readonly reject: (error: Error) => void
}

/** The messages of one exchange at one member. */
export class Board {
  readonly #owner: string
  readonly #signatures = new Map<string, string>()
  readonly #messages = new Map<string, Message>()
  readonly #waiting = new Set<Waiting>()
  #ended: Error | undefined

  /** @param owner the member, for messages. */
  constructor(owner: string) {
    this.#owner = owner
  }

  /** States what this member exchanges under the name of a part. */
  declare(part: string, signature: string): void {
    this.#signatures.set(part, signature)
    for (const waiting of this.#waiting) {
      const error = this.#mismatch(waiting)
      if (error) this.#drop(waiting).reject(error)
    }
  }

  /** Lays out a message, for as often as it is asked for. */
  offer(part: string, tag: string, message: Message): void {
    this.#messages.set(`${part}/${tag}`, message)
    for (const waiting of this.#waiting)
      if (waiting.part === part && waiting.tag === tag) this.#drop(waiting).resolve(message)
  }

  /** A message when it is there. @throws ExchangeError when the two members exchange different things; whatever the board was ended with. */
  take(wanted: Wanted, signal: AbortSignal): Promise<Message> {
    return new Promise((resolve, reject) => {
      const error = this.#ended ?? this.#mismatch(wanted)
      if (error) throw error
      const message = this.#messages.get(`${wanted.part}/${wanted.tag}`)
      if (message) return resolve(message)
      signal.throwIfAborted()
      const waiting = { ...wanted, resolve, reject }
      this.#waiting.add(waiting)
      const giveUp = (): void => {
        if (this.#waiting.delete(waiting)) reject(signal.reason as Error)
      }
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  /** Nothing more is to be had. */
  end(error: Error): void {
    this.#ended ??= error
    this.#messages.clear()
    for (const waiting of this.#waiting) this.#drop(waiting).reject(error)
  }

  #drop(waiting: Waiting): Waiting {
    this.#waiting.delete(waiting)
    return waiting
  }

  #mismatch({ part, signature }: Wanted): Error | undefined {
    const own = this.#signatures.get(part)
    if (own === undefined || signature === undefined || own === signature) return undefined
    return new ExchangeError(
      `'${part}' is ${own} at '${this.#owner}' and ${signature} at another member: all must exchange the same`,
    )
  }
}
