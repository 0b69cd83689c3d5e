// What happened, line by line: who told whom what and when, who computed, and what failed.
import type { Message, Traffic } from '../transport/contract.ts'
import type { Envelope, Link, LinkEvents } from '../transport/link.ts'
import { leaving } from '../frame/wireForm.ts'

/** A call, its answer, its failure or its withdrawal, as one end of a connection saw it. */
export interface MessageEvent {
  readonly kind: 'sent' | 'received'
  readonly what: Envelope['kind']
  readonly from: string
  readonly to: string
  /** Of a call, and of what belongs to it. Each end of a connection counts its own calls. */
  readonly id: number
  /** Of a call. */
  readonly method?: string
  /** Of a call or answer that was sent: its head and its tensors as they travel, without frames. */
  readonly bytes?: number
}

/** A node began to compute. */
export interface ComputeEvent {
  readonly kind: 'compute'
  readonly node: string
  /** How long it will take where nothing stops it. */
  readonly ms: number
}

/** Something failed, or was mended. */
export interface FaultEvent {
  readonly kind: 'crash' | 'powerOff' | 'restart' | 'pause' | 'resume' | 'cut' | 'mend'
  /** The nodes that it befell; of a cut, those on one side. */
  readonly nodes: readonly string[]
  /** Of a cut, those on the other side. */
  readonly others?: readonly string[]
}

/** A line of the story, and the milliseconds of simulated time at which it happened. */
export type TraceEvent = { readonly at: number } & (MessageEvent | ComputeEvent | FaultEvent)

/** Takes what happened, without its time. */
export type Tell = (event: MessageEvent | ComputeEvent | FaultEvent) => void

/** A link that tells of every envelope that it carries. */
export class TracedLink implements Link {
  readonly #link: Link
  readonly #self: string
  readonly #peer: string
  readonly #tell: Tell

  constructor(link: Link, self: string, peer: string, tell: Tell) {
    this.#link = link
    this.#self = self
    this.#peer = peer
    this.#tell = tell
  }

  start(events: LinkEvents): void {
    this.#link.start({
      received: (envelope) => {
        this.#tell({ kind: 'received', ...nameOf(envelope), from: this.#peer, to: this.#self })
        events.received(envelope)
      },
      awaits: (id) => events.awaits(id),
      into: (id) => events.into(id),
      failed: (id, error) => events.failed(id, error),
      sent: (kind, id) => events.sent(kind, id),
      ended: (reason) => events.ended(reason),
    })
  }

  send(envelope: Envelope): void {
    // What is refused was not sent.
    this.#link.send(envelope)
    const bytes = 'message' in envelope ? { bytes: bytesOf(envelope.message) } : {}
    this.#tell({ kind: 'sent', ...nameOf(envelope), from: this.#self, to: this.#peer, ...bytes })
  }

  release(id: number): void {
    this.#link.release(id)
  }

  traffic(): Traffic {
    return this.#link.traffic()
  }

  close(reason?: Error): void {
    this.#link.close(reason)
  }
}

const nameOf = (envelope: Envelope): Pick<MessageEvent, 'what' | 'id' | 'method'> => ({
  what: envelope.kind,
  id: envelope.id,
  ...(envelope.kind === 'call' && { method: envelope.method }),
})

const bytesOf = ({ head, tensors, wire }: Message): number =>
  tensors.reduce((sum, tensor) => sum + leaving(tensor, wire).type.bytes, head.length)
