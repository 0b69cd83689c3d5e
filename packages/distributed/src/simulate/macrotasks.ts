// How to know that everything has happened that can happen by itself: a task of the platform begins only when no microtask is left.

/** Turns of the platform's loop. A channel is the one way to get them that browsers and Node share and that waits for no timer. */
export class Macrotasks {
  readonly #channel = new MessageChannel()
  #begin: (() => void) | undefined

  constructor() {
    this.#channel.port2.onmessage = () => this.#begin?.()
  }

  /** Settles when all promises that could settle have, and all that followed from them is done. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#begin = resolve
      this.#channel.port1.postMessage(undefined)
    })
  }

  /** Lets the process end: an open channel would keep it. */
  close(): void {
    this.#channel.port1.close()
    this.#channel.port2.close()
  }
}
