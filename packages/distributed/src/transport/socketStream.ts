// Sockets as streams of bytes. The side that dials reads into one buffer of this thread; Node lets only that side choose its buffer.
import type { Socket } from 'node:net'
import type { ByteStream, ByteStreamEvents } from '../frame/byteStream.ts'
import { gather, inRecords } from '../frame/byteStream.ts'

const readBytes = 2 ** 20
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
  #events: ByteStreamEvents | undefined
  #error: Error | undefined

  /** Gives the socket: one that was made with `onread`, or one that was accepted. */
  attach(socket: Socket, accepted: boolean): this {
    this.#socket = socket
    socket.setNoDelay(true)
    if (accepted) socket.on('data', (bytes) => this.#events?.bytes(bytes))
    socket.on('error', (error) => (this.#error = error))
    return this
  }

  start(events: ByteStreamEvents): void {
    this.#events = events
    this.#socket!.on('drain', () => events.drained())
    this.#socket!.once('close', () => events.ended(this.#error))
  }

  get queued(): number {
    return this.#socket?.writableLength ?? 0
  }

  write(parts: readonly Uint8Array[]): boolean {
    const socket = this.#socket!
    if (!socket.writable) return true
    if ('encrypted' in socket) return writeAll(socket, inRecords(parts, Buffer.allocUnsafe))
    const pieces = gather(parts, Buffer.allocUnsafe)
    if (pieces.length === 1) return socket.write(pieces[0]!)
    socket.cork()
    const room = writeAll(socket, pieces)
    socket.uncork()
    return room
  }

  end(): void {
    this.#socket!.end()
  }

  destroy(): void {
    this.#socket!.destroy()
  }
}

function writeAll(socket: Socket, pieces: readonly Uint8Array[]): boolean {
  let room = true
  for (const piece of pieces) room = socket.write(piece)
  return room
}
