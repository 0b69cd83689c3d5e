// A link over any stream of bytes: frames out, frames in, signs of life, and an end that both sides know the reason of.
import { checkOptions } from '@shoal/core'
import type { Clock } from '../clock.ts'
import { systemClock } from '../clock.ts'
import { asError, ConnectionLostError, ProtocolError, RemoteError } from '../errors.ts'
import type { Traffic } from '../transport/contract.ts'
import type { Envelope, Link, LinkEvents } from '../transport/link.ts'
import type { ByteStream } from './byteStream.ts'
import type { Header } from './header.ts'
import { Inbox } from './inbox.ts'
import type { FrameOptions, Limits } from './limits.ts'
import { defaultLimits, errorBytes, frameOptionRules } from './limits.ts'
import { Outbox } from './outbox.ts'
import { FrameReader } from './reader.ts'

/** A peer is dead that was silent for so many of the intervals in which it should have given a sign of life. */
const silentIntervals = 3
/** How long the last bytes may take to leave. */
const lingerMs = 1000

/** Envelopes over bytes. */
export class FrameLink implements Link {
  /** Fulfilled by the first frame of the peer: it speaks this protocol, and lets us in. Rejected when the link ends before. */
  readonly opened: Promise<void>
  readonly #stream: ByteStream
  readonly #clock: Clock
  readonly #random: () => number
  readonly #limits: Limits
  readonly #outbox: Outbox
  readonly #inbox: Inbox
  readonly #reader: FrameReader
  #events: LinkEvents | undefined
  #resolveOpened: () => void
  #rejectOpened: (error: Error) => void
  #receivedBytes = 0
  #heard = false
  #silence = 0
  #ended = false
  #stopWatch = (): void => {}
  #stopLinger = (): void => {}

  /** @param random numbers from 0 to below 1, that keep peers from giving signs of life in step. */
  constructor(
    stream: ByteStream,
    options: FrameOptions = {},
    clock: Clock = systemClock,
    random: () => number = Math.random,
  ) {
    const opened = Promise.withResolvers<void>()
    // Whoever does not wait for it learns of the end by `ended`.
    opened.promise.catch(() => {})
    this.opened = opened.promise
    this.#resolveOpened = opened.resolve
    this.#rejectOpened = opened.reject
    this.#stream = stream
    this.#clock = clock
    this.#random = random
    checkOptions('a connection', options, frameOptionRules)
    this.#limits = { ...defaultLimits, ...options }
    this.#outbox = new Outbox(stream, this.#limits, {
      left: (answer, id) => this.#events!.sent(answer ? 'answer' : 'call', id),
      failed: (error) => this.close(error),
    })
    this.#inbox = new Inbox(this.#limits, {
      received: (envelope) => {
        if (!this.#ended) this.#events!.received(envelope)
      },
      awaits: (id) => this.#events!.awaits(id),
      into: (id) => this.#events!.into(id),
      failed: (id, error) => this.#events!.failed(id, error),
      refused: (id, { name, message }) => this.send({ kind: 'error', id, name, text: message }),
      admit: (id) => this.#outbox.control('admit', { id }),
      takenIn: (bytes) => this.#outbox.control('window', { id: bytes }),
      control: (header, body) => this.#control(header, body),
    })
    this.#reader = new FrameReader(this.#inbox)
  }

  start(events: LinkEvents): void {
    this.#events = events
    this.#stream.start({
      bytes: (piece) => this.#receive(piece),
      drained: () => this.#outbox.drained(),
      ended: (error) => {
        this.#stopLinger()
        const why = error ? `: ${error.message}` : ''
        this.#end(new ConnectionLostError(`the stream ended without a farewell${why}`, { cause: error }))
      },
    })
    this.#outbox.control('alive')
    this.#watch()
  }

  send(envelope: Envelope): void {
    const { id } = envelope
    switch (envelope.kind) {
      case 'call':
        return this.#outbox.add(false, id, envelope.method, envelope.message, envelope.urgent)
      case 'answer':
        return this.#outbox.add(true, id, '', envelope.message, envelope.urgent)
      case 'error':
        this.#inbox.drop(false, id)
        return this.#outbox.control('error', { id, answer: true }, [
          encodeError(envelope.name, envelope.text),
        ])
      case 'cancel':
        this.#outbox.drop(false, id)
        this.#inbox.drop(true, id)
        return this.#outbox.control('cancel', { id })
    }
  }

  release(id: number): void {
    this.#inbox.release(id)
  }

  traffic(): Traffic {
    return { sent: this.#outbox.sentBytes, received: this.#receivedBytes, queued: this.#stream.queued }
  }

  close(reason?: Error): void {
    if (this.#ended) return
    this.#outbox.close('close', reason ? [encodeError(reason.name, reason.message)] : [])
    this.#finish(reason)
  }

  #receive(piece: Uint8Array): void {
    if (this.#ended) return
    this.#heard = true
    this.#receivedBytes += piece.length
    try {
      this.#reader.push(piece)
    } catch (thrown) {
      this.close(asError(thrown))
    }
  }

  #control({ kind, id }: Header, body: Uint8Array): void {
    if (this.#ended) return
    this.#resolveOpened()
    switch (kind) {
      case 'error': {
        const { name, text } = decodeError(body)
        this.#outbox.drop(false, id)
        return this.#events!.received({ kind, id, name, text })
      }
      case 'cancel':
        this.#inbox.drop(false, id)
        this.#outbox.drop(true, id)
        return this.#events!.received({ kind, id })
      case 'admit':
        return this.#outbox.admit(id)
      case 'window':
        if (!this.#outbox.takenIn(id)) throw new ProtocolError('the peer took in more bytes than were sent')
        return
      case 'close': {
        const { name, text } = decodeError(body)
        this.#outbox.close()
        return this.#finish(
          body.length > 0 ? new RemoteError('the peer closed the connection', name, text) : undefined,
        )
      }
    }
  }

  /** Ends the stream when its last bytes have left, or after a second. */
  #finish(reason: Error | undefined): void {
    this.#end(reason)
    this.#stopLinger = this.#clock.after(lingerMs, () => this.#stream.destroy())
    this.#stream.end()
  }

  #end(reason: Error | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.#stopWatch()
    this.#outbox.close()
    this.#inbox.close()
    this.#rejectOpened(reason ?? new ConnectionLostError('the peer closed the connection at once'))
    this.#events!.ended(reason)
  }

  /**
   * Gives signs of life, and waits for them. Intervals are counted, not time: when this process was held up, what the peer said
   * meanwhile is read before the next interval ends.
   */
  #watch(): void {
    const { aliveMs } = this.#limits
    this.#stopWatch = this.#clock.after(aliveMs * (0.9 + 0.2 * this.#random()), () => {
      this.#silence = this.#heard ? 0 : this.#silence + 1
      this.#heard = false
      if (this.#silence >= silentIntervals) {
        this.#end(
          new ConnectionLostError(
            `no sign of life from the peer for ${silentIntervals} intervals of ${aliveMs} ms`,
          ),
        )
        return this.#stream.destroy()
      }
      if (!this.#outbox.takeActivity()) this.#outbox.control('alive')
      this.#watch()
    })
  }
}

/** An error as its name, a zero, and its message, cut where it is too long. */
function encodeError(name: string, text: string): Uint8Array {
  const bytes = new Uint8Array(errorBytes)
  const { written } = new TextEncoder().encodeInto(`${name}\0${text}`, bytes)
  return bytes.subarray(0, written)
}

function decodeError(body: Uint8Array): { readonly name: string; readonly text: string } {
  const [name = '', ...rest] = new TextDecoder().decode(body).split('\0')
  return { name: name || 'Error', text: rest.join('\0') }
}
