// Peers in one process: envelopes are handed over as they are, one turn later, and nothing is copied.
import type { Clock } from '../clock.ts'
import { CancelledError, ConnectError } from '../errors.ts'
import { PeerConnection } from './connection.ts'
import type { Connection, ListenOptions, PeerIdentity, Transport } from './contract.ts'
import type { Envelope, Link, LinkEvents } from './link.ts'
import { noTraffic } from './link.ts'
import { placed } from './placement.ts'

class InProcessLink implements Link {
  #events: LinkEvents | undefined
  /** Who is at the other end: set when the pair is made. */
  other: InProcessLink | undefined
  #ended = false

  start(events: LinkEvents): void {
    this.#events = events
  }

  send(envelope: Envelope): void {
    queueMicrotask(() => this.other!.#receive(envelope))
    if (envelope.kind === 'call' || envelope.kind === 'answer') {
      const { kind, id } = envelope
      queueMicrotask(() => this.#events!.sent(kind, id))
    }
  }

  release(): void {}

  traffic(): typeof noTraffic {
    return noTraffic
  }

  close(reason?: Error): void {
    queueMicrotask(() => {
      this.#end(reason)
      this.other!.#end(reason)
    })
  }

  #end(reason: Error | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.#events!.ended(reason)
  }

  #receive(envelope: Envelope): void {
    if (this.#ended) return
    const events = this.#events!
    if (envelope.kind !== 'answer') return events.received(envelope)
    const { id, message } = envelope
    let tensors = message.tensors
    try {
      tensors = placed(tensors, events.into(id))
    } catch (thrown) {
      return events.failed(id, thrown as Error)
    }
    events.received({ ...envelope, message: { ...message, tensors } })
  }
}

/**
 * Connects the parts of one process: addresses are names, and every name belongs to one object of this class.
 * Tensors are handed over as they are, so that both ends see one memory.
 */
export class InProcessTransport implements Transport {
  readonly #listeners = new Map<string, { readonly self: PeerIdentity; readonly options: ListenOptions }>()
  readonly #self: PeerIdentity
  readonly #clock: Clock | undefined
  readonly #network: InProcessTransport

  /** @param self who this end is. @param clock default: the system's. */
  constructor(
    self: PeerIdentity,
    options: { readonly clock?: Clock; readonly network?: InProcessTransport } = {},
  ) {
    this.#self = self
    this.#clock = options.clock
    this.#network = options.network ?? this
  }

  /** Another peer that reaches the same addresses. */
  as(self: PeerIdentity): InProcessTransport {
    const clock = this.#clock
    return new InProcessTransport(self, { network: this.#network, ...(clock && { clock }) })
  }

  async listen(
    address: string,
    options: ListenOptions,
  ): Promise<{ address: string; close(): Promise<void> }> {
    const listeners = this.#network.#listeners
    if (listeners.has(address)) throw new ConnectError(`'${address}' is taken in this process`)
    const entry = { self: this.#self, options }
    listeners.set(address, entry)
    return {
      address,
      close: async () => {
        if (listeners.get(address) === entry) listeners.delete(address)
      },
    }
  }

  async connect(
    address: string,
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<Connection> {
    if (options.signal?.aborted)
      throw new CancelledError(`connecting to '${address}' was withdrawn`, { cause: options.signal.reason })
    const listener = this.#network.#listeners.get(address)
    if (!listener) throw new ConnectError(`nobody in this process listens at '${address}'`)
    const near = new InProcessLink()
    const far = new InProcessLink()
    near.other = far
    far.other = near
    const connection = new PeerConnection(near, listener.self, this.#clock)
    listener.options.connected(new PeerConnection(far, this.#self, this.#clock))
    return connection
  }
}
