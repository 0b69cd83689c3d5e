// Threads of one process: whole envelopes by message ports. Shared memory is handed over as it is, other memory copied once.
import type { DType, NDArray, Size } from '@shoal/core'
import { dtypes, fromBytes, isDType, NDArray as Values } from '@shoal/core'
import type { Clock } from '../clock.ts'
import { asError, ConnectionLostError, ProtocolError, RemoteError } from '../errors.ts'
import { PeerConnection } from './connection.ts'
import type { Connection, PeerIdentity, Traffic } from './contract.ts'
import type { Envelope, Link, LinkEvents } from './link.ts'
import { placed } from './placement.ts'

/** What both kinds of port have: those of browsers, and those of Node's worker threads. */
export interface Port {
  postMessage(value: unknown, transfer: ArrayBuffer[]): void
  addEventListener(type: 'message' | 'close', listener: (event: Event) => void): void
  start(): void
  close(): void
}

/** A tensor between threads: strings as they are, anything else as memory. */
interface Packed {
  readonly dtype: DType
  readonly shape: Size
  readonly data: Uint8Array | readonly string[]
}

/** What goes through a port: an envelope, its tensors packed, or the end. */
interface Packet {
  readonly envelope?: Envelope
  readonly tensors?: readonly Packed[]
  readonly close?: { readonly name: string; readonly text: string } | undefined
}

class PortLink implements Link {
  readonly #port: Port
  #events: LinkEvents | undefined
  #ended = false
  #sent = 0
  #received = 0

  constructor(port: Port) {
    this.#port = port
  }

  start(events: LinkEvents): void {
    this.#events = events
    this.#port.addEventListener('message', (event) => this.#receive((event as MessageEvent<Packet>).data))
    this.#port.addEventListener('close', () =>
      this.#end(new ConnectionLostError('the thread of the peer ended')),
    )
    this.#port.start()
  }

  send(envelope: Envelope): void {
    if (this.#ended) return
    if (envelope.kind !== 'call' && envelope.kind !== 'answer')
      return this.#port.postMessage({ envelope }, [])
    const { kind, id, message } = envelope
    const tensors = message.tensors.map(pack)
    const transfer: ArrayBuffer[] = []
    for (const { data } of tensors)
      if (data instanceof Uint8Array && data.buffer instanceof ArrayBuffer) {
        transfer.push(data.buffer)
        this.#sent += data.byteLength
      }
    // What bytes are to travel in is for those who send them on.
    const { head, wire } = message
    const bare = { ...envelope, message: { head: head.slice(), tensors: [], ...(wire && { wire }) } }
    this.#port.postMessage({ envelope: bare, tensors }, transfer)
    queueMicrotask(() => this.#events!.sent(kind, id))
  }

  release(): void {}

  traffic(): Traffic {
    return { sent: this.#sent, received: this.#received, queued: 0 }
  }

  close(reason?: Error): void {
    if (this.#ended) return
    this.#port.postMessage({ close: reason && { name: reason.name, text: reason.message } }, [])
    this.#end(reason)
    // What was posted before arrives before the end does.
    this.#port.close()
  }

  #end(reason?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#events!.ended(reason)
  }

  #receive({ envelope, tensors = [], ...packet }: Packet): void {
    if (this.#ended) return
    if (!envelope) {
      const { close } = packet
      this.#end(close && new RemoteError('the peer closed the connection', close.name, close.text))
      return this.#port.close()
    }
    if (envelope.kind !== 'call' && envelope.kind !== 'answer') return this.#events!.received(envelope)
    for (const { data } of tensors)
      if (data instanceof Uint8Array && data.buffer instanceof ArrayBuffer) this.#received += data.byteLength
    try {
      const into = envelope.kind === 'answer' ? this.#events!.into(envelope.id) : undefined
      const message = { ...envelope.message, tensors: placed(tensors.map(unpack), into) }
      this.#events!.received({ ...envelope, message })
    } catch (thrown) {
      if (envelope.kind === 'call') this.close(new ProtocolError(asError(thrown).message))
      else this.#events!.failed(envelope.id, asError(thrown))
    }
  }
}

/** Shared memory as it is; other memory copied, since the sender keeps its own. */
function pack({ dtype, shape, data }: NDArray): Packed {
  if (dtype === 'string') return { dtype, shape, data: data as readonly string[] }
  const bytes = new Values(dtype, shape, data).bytes
  return { dtype, shape, data: bytes.buffer instanceof ArrayBuffer ? bytes.slice() : bytes }
}

function unpack({ dtype, shape, data }: Packed): NDArray {
  if (!isDType(dtype) || !(dtypes[dtype].kind === 'string' || data instanceof Uint8Array))
    throw new ProtocolError(`a tensor of dtype ${String(dtype)} without its memory`)
  return dtype === 'string'
    ? new Values(dtype, shape, data as string[])
    : fromBytes(dtype, shape, data as Uint8Array)
}

/**
 * A connection through a port to another thread of this process. Both threads make one, each at its end of a MessageChannel. Tensors over
 * SharedArrayBuffers pass without a copy, others are copied once. The end of a thread ends its connections.
 * @param peer who the other thread is: the process knows.
 */
export const connectPort = (port: Port, peer: PeerIdentity, clock?: Clock): Connection =>
  new PeerConnection(new PortLink(port), peer, clock)
