// A short talk between two nodes of which one is not of the cluster, or not any more: a few messages of JSON in turns, over TLS, within a time.
import type { TLSSocket } from 'node:tls'
import {
  type Clock,
  ConnectionLostError,
  DeadlineError,
  LimitError,
  ProtocolError,
} from '@shoal/distributed/peers'
import { z } from 'zod'

/** The most bytes of one message. */
const maxBytes = 64 * 1024
const lengthBytes = 4
/** Bytes that both ends of one connection can compute, and nobody between two connections: the exporter of RFC 8446, section 7.5. */
const bindingBytes = 32

/** How long a talk may take, on which clock. */
export interface ConversationOptions {
  /** Milliseconds from now until the socket is ended. */
  readonly deadlineMs: number
  readonly clock: Clock
  /** What it is about: 'joining at 10.0.0.5:7070'. */
  readonly about: string
}

/** One end of a talk. Each message is its length in 4 bytes, the highest first, and JSON in UTF-8. */
export class Conversation {
  readonly #socket: TLSSocket
  readonly #about: string
  readonly #ended = new AbortController()

  /** Must be made in the turn in which the socket is ready. */
  constructor(socket: TLSSocket, { deadlineMs, clock, about }: ConversationOptions) {
    this.#socket = socket
    this.#about = about
    const disarm = clock.after(deadlineMs, () =>
      socket.destroy(new DeadlineError(`${about}: not done within ${deadlineMs} ms`)),
    )
    // The error itself is found in the socket by whoever waits.
    socket
      .on('error', () => undefined)
      .once('close', () => {
        disarm()
        this.#ended.abort(this.#loss())
      })
  }

  /** Aborted when it has ended. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /** What binds a proof to this very connection. */
  get binding(): Buffer {
    return this.#socket.exportKeyingMaterial(bindingBytes, 'EXPORTER-shoal-conversation', Buffer.alloc(0))
  }

  /** Says something. */
  say(value: object): void {
    this.#socket.write(framed(value))
  }

  /** Says something, and nothing after it. */
  sayLast(value: object): void {
    this.#socket.end(framed(value))
  }

  /** Ends it. */
  end(): void {
    this.#socket.destroy()
  }

  /**
   * What the other end says next.
   * @throws ProtocolError for what is not as described, LimitError for more than 64 KiB, ConnectionLostError where the other end hangs up, DeadlineError.
   */
  async hear<T>(schema: z.ZodType<T>): Promise<T> {
    const length = (await this.#take(lengthBytes)).readUInt32BE()
    if (length === 0 || length > maxBytes)
      throw new LimitError(`${this.#about}: a message of ${length} bytes; 1 to ${maxBytes} are allowed`)
    const text = (await this.#take(length)).toString('utf8')
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw new ProtocolError(`${this.#about}: a message that is no JSON`, { cause })
    }
    const read = schema.safeParse(value)
    if (!read.success) throw new ProtocolError(`${this.#about}: ${z.prettifyError(read.error)}`)
    return read.data
  }

  async #take(bytes: number): Promise<Buffer> {
    const socket = this.#socket
    for (;;) {
      const chunk = socket.read(bytes) as Buffer | null
      // Less than was asked for is what was left when the other end hung up.
      if (chunk?.length === bytes) return chunk
      if (chunk || socket.destroyed || socket.readableEnded) throw this.#loss()
      await changed(socket)
    }
  }

  #loss(): Error {
    const { errored } = this.#socket
    if (errored instanceof DeadlineError) return errored
    const why = errored ? `: ${errored.message}` : ''
    return new ConnectionLostError(`${this.#about}: the other end hung up${why}`, { cause: errored })
  }
}

/** Settles when there may be more to read, or nothing any more. */
function changed(socket: TLSSocket): Promise<void> {
  const events = ['readable', 'end', 'close'] as const
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const event of events) socket.off(event, settle)
      resolve()
    }
    for (const event of events) socket.on(event, settle)
  })
}

function framed(value: object): Buffer {
  const text = Buffer.from(JSON.stringify(value))
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt32BE(text.length)
  return Buffer.concat([length, text])
}
