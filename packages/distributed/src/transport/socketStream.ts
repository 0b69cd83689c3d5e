// Sockets as streams of bytes. The side that dials reads into one buffer of this thread; Node lets only that side choose its buffer.
import type { Socket } from 'node:net'
import type { ByteStream, ByteStreamEvents } from '../frame/byteStream.ts'
import { gather, join, lengthOf, part } from '../frame/byteStream.ts'
import { reasonOf } from './security.ts'

const readBytes = 2 ** 19
/** Under TLS a piece and its ciphertext should fit into a processor's own cache: half and twice as much were measured to be slower. */
const secureBytes = 2 ** 18
/** From so many bytes on sockets ask their writers to wait. */
const stagedBytes = 2 ** 16
let shared: Uint8Array | undefined
/**
 * Where sockets read into. One buffer serves all sockets of a thread, since what is read is taken from it before anything else is read;
 * but Windows hands buffers to the system before there is anything to read.
 */
const readBuffer = (): Uint8Array =>
  process.platform === 'win32' ? new Uint8Array(readBytes) : (shared ??= new Uint8Array(readBytes))

/** Bytes over a socket of node:net or node:tls. */
export class SocketStream implements ByteStream {
  /** For the options of a socket that dials. */
  readonly onread: {
    readonly buffer: Uint8Array
    readonly callback: (count: number, buffer: Uint8Array) => boolean
  } = {
    buffer: readBuffer(),
    callback: (count, buffer) => {
      this.#events?.bytes(buffer.subarray(0, count))
      return true
    },
  }
  #socket: Socket | undefined
  #secure = false
  /** Memory of a first piece, which is free again when all is written. */
  #staging: Buffer | undefined
  /** Pieces that wait for those before them. */
  readonly #queue: Uint8Array[] = []
  #events: ByteStreamEvents | undefined
  #error: Error | undefined

  /** Gives the socket: one that was made with `onread`, or one that was accepted. */
  attach(socket: Socket, accepted: boolean): this {
    this.#socket = socket
    this.#secure = 'encrypted' in socket
    socket.setNoDelay(true)
    if (accepted) socket.on('data', (bytes) => this.#events?.bytes(bytes))
    socket.on('error', (error) => (this.#error = new Error(reasonOf(error), { cause: error })))
    return this
  }

  start(events: ByteStreamEvents): void {
    this.#events = events
    this.#socket!.on('drain', () => {
      if (this.#flush()) events.drained()
    })
    this.#socket!.once('close', () => events.ended(this.#error))
  }

  get queued(): number {
    let queued = this.#socket?.writableLength ?? 0
    for (const { length } of this.#queue) queued += length
    return queued
  }

  write(parts: readonly Uint8Array[]): boolean {
    const socket = this.#socket!
    if (!socket.writable) return true
    if (this.#secure) {
      this.#queue.push(...this.#pieces(parts))
      return this.#flush()
    }
    const pieces = gather(parts, Buffer.allocUnsafe)
    if (pieces.length === 1) return socket.write(pieces[0]!)
    let room = true
    socket.cork()
    for (const piece of pieces) room = socket.write(piece)
    socket.uncork()
    return room
  }

  /**
   * The same bytes in pieces, the first of which has a copy of what is before a large last part and of its beginning: TLS copies whatever is
   * written at once, or while something else is, into new memory, all of it.
   */
  #pieces(parts: readonly Uint8Array[]): readonly Uint8Array[] {
    const last = parts.at(-1)!
    const before = parts.slice(0, -1)
    const along = before.length === 0 ? 0 : Math.max(0, secureBytes - lengthOf(before))
    const pieces = before.length === 0 ? [] : [this.#joined([...before, part(last, 0, along)])]
    for (let at = along; at < last.length; at += secureBytes)
      pieces.push(part(last, at, Math.min(last.length, at + secureBytes)))
    return pieces
  }

  #joined(parts: readonly Uint8Array[]): Uint8Array {
    return join(parts, (length) => {
      const isFree = this.queued === 0
      if (length < stagedBytes || length > secureBytes || !isFree) return Buffer.allocUnsafe(length)
      this.#staging ??= Buffer.allocUnsafeSlow(secureBytes)
      return this.#staging.subarray(0, length)
    })
  }

  /** Writes what waits, one after the other. Answers whether there is room for more. */
  #flush(): boolean {
    for (;;) {
      const piece = this.#queue.shift()
      if (!piece) return true
      if (!this.#socket!.write(piece)) return false
    }
  }

  end(): void {
    for (const piece of this.#queue.splice(0)) this.#socket!.write(piece)
    this.#socket!.end()
  }

  destroy(): void {
    this.#socket!.destroy()
  }
}
