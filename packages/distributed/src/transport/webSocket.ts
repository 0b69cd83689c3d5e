// WebSockets as streams of bytes: by the standard interface, which browsers have, and Node, and ws.
import { ConnectError, ProtocolError, SecurityError } from '../errors.ts'
import { systemClock } from '../clock.ts'
import type { ByteStream, ByteStreamEvents } from '../frame/byteStream.ts'
import { gather } from '../frame/byteStream.ts'
import { isLoopback } from './address.ts'
import type { Connection, ConnectOptions } from './contract.ts'
import { attempt, open, type StreamOptions } from './opening.ts'

/** What ws has besides: it tells when data was written out, and ends at once. */
interface Extras {
  send(data: Uint8Array, written: () => void): void
  terminate(): void
}

/** While more bytes than this wait to be written out, nothing is added. */
const highWater = 2 ** 18

/**
 * Bytes over a WebSocket; where its messages begin and end means nothing. A standard WebSocket does not tell when it has room: there
 * only the window of the protocol bounds what waits.
 */
export class WebSocketStream implements ByteStream {
  readonly #socket: WebSocket
  readonly #extras: Extras | undefined
  #events: ByteStreamEvents | undefined
  #full = false
  #ended = false
  #error: Error | undefined

  /** @param extras the same socket, where it is one of ws. */
  constructor(socket: WebSocket, extras?: Extras) {
    this.#socket = socket
    this.#extras = extras
  }

  start(events: ByteStreamEvents): void {
    this.#events = events
    this.#socket.addEventListener('message', ({ data }: { readonly data: unknown }) => {
      if (this.#ended) return
      if (data instanceof Uint8Array) events.bytes(data)
      else if (data instanceof ArrayBuffer) events.bytes(new Uint8Array(data))
      else {
        this.#error = new ProtocolError('the peer sent text')
        this.destroy()
      }
    })
    this.#socket.addEventListener('error', (event) => {
      const { message } = event as { readonly message?: unknown }
      this.#error ??= new ConnectError(typeof message === 'string' ? message : 'the WebSocket failed')
    })
    this.#socket.addEventListener('close', () => this.#end())
  }

  get queued(): number {
    return this.#socket.bufferedAmount
  }

  write(parts: readonly Uint8Array[]): boolean {
    if (this.#socket.readyState !== 1) return true
    for (const part of gather(parts)) {
      if (this.#extras) this.#extras.send(part, () => this.#written())
      // A standard WebSocket takes no shared memory.
      else
        this.#socket.send(
          part.buffer instanceof ArrayBuffer ? (part as Uint8Array<ArrayBuffer>) : part.slice(),
        )
    }
    this.#full = this.#extras !== undefined && this.queued > highWater
    return !this.#full
  }

  end(): void {
    this.#socket.close()
  }

  destroy(): void {
    if (this.#extras) this.#extras.terminate()
    else this.#socket.close()
    this.#end()
  }

  #written(): void {
    if (!this.#full || this.queued > highWater) return
    this.#full = false
    this.#events!.drained()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#events!.ended(this.#error)
  }
}

/**
 * Connects from a browser, or wherever there is a standard WebSocket. The peer's certificate is checked by the platform, and this end's
 * chosen by it; who the peer is beyond its address is not known.
 * @param url `wss://host:port`; `ws:` for this machine only.
 * @throws SecurityError, ConnectError, DeadlineError, CancelledError.
 */
export async function connectWebSocket(
  url: string,
  { deadlineMs, signal, ...options }: ConnectOptions & StreamOptions,
): Promise<Connection> {
  const { protocol, host, hostname } = new URL(url)
  if (protocol !== 'wss:' && !isLoopback(hostname.replace(/^\[|\]$/g, '')))
    throw new SecurityError(`${url} is in clear, and not on this machine: connect to wss://${host}`)
  const { clock = systemClock } = options
  return attempt(`connecting to ${url}`, { deadlineMs, signal }, clock, (aborted) => {
    const socket = new WebSocket(url, subprotocol)
    socket.binaryType = 'arraybuffer'
    return openWebSocket(socket, aborted, () =>
      open(new WebSocketStream(socket), { cluster: '', node: host, role: '' }, options),
    )
  })
}

/** What the peers agree to speak, besides what frames say of their version. */
export const subprotocol = 'shoal.1'

/** Waits until a WebSocket is open, and calls `begin` in that turn. @throws ConnectError. */
export function openWebSocket(
  socket: Pick<WebSocket, 'addEventListener' | 'close'>,
  aborted: AbortSignal,
  begin: () => Promise<Connection>,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    aborted.addEventListener('abort', () => socket.close(), { once: true })
    socket.addEventListener('open', () => resolve(begin()), { once: true })
    const fail = (event: object): void => {
      const { message } = event as { readonly message?: unknown }
      reject(
        new ConnectError(
          typeof message === 'string' && message ? message : 'the WebSocket could not be opened',
        ),
      )
    }
    socket.addEventListener('error', fail, { once: true })
    socket.addEventListener('close', fail, { once: true })
  })
}
