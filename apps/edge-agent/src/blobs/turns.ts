// What concerns one thing happens one after the other; what concerns others does not wait.

/** Queues, one for each key. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Does something when all that was to be done before under this key is done, however that ended. */
  async take<T>(key: string, action: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const turn = before ? before.then(action, action) : action()
    this.#last.set(key, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key)
    }
  }

  /** Is something done, or to be done, under this key? */
  busy(key: string): boolean {
    return this.#last.has(key)
  }

  /** Settles when all is done that was to be done by now. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#last.values())
  }
}
