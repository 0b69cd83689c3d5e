// One exchange as the other members see it: what is laid out for them, and their word that they have all they need.
import type { Message } from '../transport/contract.ts'
import { Board } from './board.ts'
import { ExchangeError } from './exchangeError.ts'

/** What rank 0 decided when all had confirmed. */
export interface Decision {
  /** Does the generation end with this exchange? */
  readonly ends: boolean
}

/** The meeting point of one exchange. It may be there before this member begins the exchange. */
export class Round {
  readonly board: Board
  readonly #missing: Set<string>
  readonly #keys = new Map<string, string>()
  readonly #confirmed = Promise.withResolvers<void>()
  readonly #decided = Promise.withResolvers<Decision>()

  /** @param below the members below this one in the tree. */
  constructor(owner: string, below: readonly string[]) {
    this.board = new Board(owner)
    this.#missing = new Set(below)
    if (below.length === 0) this.#confirmed.resolve()
    // Whoever waits for these hears of a failure; often nobody does.
    for (const { promise } of [this.#confirmed, this.#decided]) promise.catch(() => undefined)
  }

  /** The members below that have not confirmed. */
  get missing(): readonly string[] {
    return [...this.#missing]
  }

  /** A member below, and all below that, has all that it needs of exchange `key`. Settles with the decision. */
  confirm(from: string, key: string): Promise<Decision> {
    this.#keys.set(from, key)
    this.#missing.delete(from)
    if (this.#missing.size === 0) this.#confirmed.resolve()
    return this.#decided.promise
  }

  /** Settles when all below have confirmed. @throws ExchangeError when one of them confirmed another exchange. */
  async allConfirmed(key: string): Promise<void> {
    await this.#confirmed.promise
    for (const [from, theirs] of this.#keys)
      if (theirs !== key)
        throw new ExchangeError(`'${from}' is at exchange '${theirs}' where '${key}' is done here`)
  }

  /** Tells those below. */
  decide(decision: Decision): void {
    this.#decided.resolve(decision)
  }

  /** Nothing more happens here. */
  end(error: Error): void {
    this.board.end(error)
    this.#confirmed.reject(error)
    this.#decided.reject(error)
  }
}

/** An answer to who has confirmed. */
export const flagMessage = (flag: boolean): Message => ({ head: Uint8Array.of(flag ? 1 : 0), tensors: [] })
