// Measures the way to each neighbour, one at a time and not too soon: two measurements at once would measure each other.
import { asError, type Clock, systemClock } from '@shoal/distributed/peers'
import type { Machine } from '../machine/machine.ts'
import { measureLink } from '../machine/link.ts'
import type { Neighbour, Neighbours } from './neighbours.ts'

/** What is measured, and where the result goes. */
export interface LinkWatchOptions {
  readonly machine: Pick<Machine, 'setLink'>
  readonly neighbours: Pick<Neighbours, 'get'>
  readonly log: (line: string) => void
  readonly clock?: Clock
}

/** How long after a neighbour has come it is measured: until then there is enough to do. */
const settleMs = 2000

/** Keeps the measured links of this node. */
export class LinkWatch implements AsyncDisposable {
  readonly #options: LinkWatchOptions
  readonly #clock: Clock
  readonly #over = new AbortController()
  readonly #timers = new Map<string, () => void>()
  #turn: Promise<void> = Promise.resolve()

  constructor(options: LinkWatchOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** A neighbour is there. */
  came({ nodeId }: Neighbour): void {
    this.#timers.get(nodeId)?.()
    this.#timers.set(
      nodeId,
      this.#clock.after(settleMs, () => {
        this.#timers.delete(nodeId)
        this.#turn = this.#turn.then(() => this.#measure(nodeId))
      }),
    )
  }

  /** A neighbour is not there any more. */
  left(nodeId: string): void {
    this.#timers.get(nodeId)?.()
    this.#timers.delete(nodeId)
    this.#options.machine.setLink(nodeId, undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(new Error('the node is closing'))
    for (const disarm of this.#timers.values()) disarm()
    await this.#turn
  }

  async #measure(nodeId: string): Promise<void> {
    const { machine, neighbours, log } = this.#options
    const { signal } = this.#over
    const neighbour = neighbours.get(nodeId)
    if (!neighbour || signal.aborted) return
    try {
      machine.setLink(nodeId, await measureLink(neighbour.connection, { signal }))
    } catch (error) {
      if (!signal.aborted && neighbours.get(nodeId))
        log(`the way to '${nodeId}' was not measured: ${asError(error).message}`)
    }
  }
}
