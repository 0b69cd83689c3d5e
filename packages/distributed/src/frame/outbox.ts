// What leaves, in turns: control frames first, then urgent messages, then one chunk of each other message after the other.
import { InternalError } from '@shoal/core'
import { crc32c } from '@shoal/data'
import { asError, ProtocolError } from '../errors.ts'
import type { Message } from '../transport/contract.ts'
import type { ByteStream } from './byteStream.ts'
import type { FrameKind } from './header.ts'
import { headerBytes, paddingAt, putHeader } from './header.ts'
import type { Limits } from './limits.ts'
import { chunkBytes, windowBytes } from './limits.ts'
import { cut } from './memory.ts'
import { bodyBytes, descriptionBytes, earlyRoom, encodeStart, isLongHead } from './start.ts'
import { type Leaving, leaving, leavingHead } from './wireForm.ts'

/** A message on its way out. */
interface Parcel {
  readonly id: number
  readonly answer: boolean
  readonly urgent: boolean
  /** The first frame, with room for its header. */
  readonly start: Uint8Array
  /** What follows it: the head, where that is long, and the tensors. */
  readonly parts: readonly Leaving[]
  readonly total: number
  started: boolean
  sent: number
  /** How far it may go: not far until the receiver has memory for the rest. */
  allowed: number
  /** The part that is next, and how far into it. */
  index: number
  offset: number
}

/** What a frame may be besides its kind and body. */
interface FrameParts {
  readonly id?: number
  readonly answer?: boolean
  readonly urgent?: boolean
}

/** What the sending half tells. */
export interface OutboxEvents {
  /** A whole message was given to the stream. */
  left(answer: boolean, id: number): void
  /** Nothing more can be sent. */
  failed(error: Error): void
}

/** So many bytes are gathered for one write. */
const batchBytes = 2 ** 16
/** Bodies of so many bytes are aligned. */
const alignedBytes = 2 ** 12
/** A peer that leaves so many bytes of control frames unread wants no answers. */
const maxControlBytes = 2 ** 23

/** The sending half of a connection. */
export class Outbox {
  readonly #stream: ByteStream
  readonly #limits: Limits
  readonly #events: OutboxEvents
  #control: Uint8Array[] = []
  #controlBytes = 0
  /** Those that may go, in the order of their turns, and those that wait to be let in. */
  readonly #urgent = new Map<number, Parcel>()
  readonly #ready = new Map<number, Parcel>()
  readonly #waiting = new Map<number, Parcel>()
  #onTheWay = 0
  #writable = true
  #scheduled = false
  #closed = false
  #sentBytes = 0
  #wrote = false

  constructor(stream: ByteStream, limits: Limits, events: OutboxEvents) {
    this.#stream = stream
    this.#limits = limits
    this.#events = events
  }

  /** All bytes of frames that were made, in the order in which they go. */
  get sentBytes(): number {
    return this.#sentBytes
  }

  /** Has anything left, or is it held up on its way, since this was last asked? */
  takeActivity(): boolean {
    const active = this.#wrote || !this.#writable
    this.#wrote = false
    return active
  }

  /** Puts a frame before all messages. */
  control(kind: FrameKind, parts: FrameParts = {}, body: readonly Uint8Array[] = []): void {
    if (this.#closed) return
    this.#controlBytes += this.#putFrame(this.#control, kind, parts, body)
    if (this.#controlBytes > maxControlBytes)
      return this.#events.failed(new ProtocolError('the peer asks for answers and does not read them'))
    this.#schedule()
  }

  /** Takes a message. @throws LimitError when it is too large. */
  add(answer: boolean, id: number, method: string, message: Message, urgent: boolean): void {
    if (this.#closed) return
    const { head, wire } = message
    const parts = message.tensors.map((tensor) => leaving(tensor, wire))
    const types = parts.map(({ type }) => type)
    const start = encodeStart({ method, head, tensors: types }, this.#limits, headerBytes)
    if (isLongHead(head.length)) parts.unshift(leavingHead(head))
    const total = bodyBytes({ headBytes: head.length, tensors: types })
    const room = earlyRoom(descriptionBytes(start.length - headerBytes, types.length))
    const allowed = answer ? total : Math.min(total, room)
    const parcel = {
      id,
      answer,
      urgent,
      start,
      parts,
      total,
      started: false,
      sent: 0,
      allowed,
      index: 0,
      offset: 0,
    }
    ;(urgent ? this.#urgent : this.#ready).set(keyOf(answer, id), parcel)
    this.#schedule()
  }

  /** Sends nothing more of a message. */
  drop(answer: boolean, id: number): void {
    const key = keyOf(answer, id)
    for (const line of [this.#urgent, this.#ready, this.#waiting]) line.delete(key)
  }

  /** The receiver has memory for the rest of a call. */
  admit(id: number): void {
    const key = keyOf(false, id)
    const waits = this.#waiting.get(key)
    const parcel = waits ?? this.#ready.get(key) ?? this.#urgent.get(key)
    if (!parcel) return
    parcel.allowed = parcel.total
    if (!waits) return
    this.#waiting.delete(key)
    ;(parcel.urgent ? this.#urgent : this.#ready).set(key, parcel)
    this.#schedule()
  }

  /** The receiver has taken in bytes of chunks. Answers whether so many were on their way. */
  takenIn(bytes: number): boolean {
    if (bytes > this.#onTheWay) return false
    this.#onTheWay -= bytes
    this.#schedule()
    return true
  }

  /** The stream has room again. */
  drained(): void {
    this.#writable = true
    this.#schedule()
  }

  /** Forgets all messages and takes no more; a last frame may be given. */
  close(kind?: FrameKind, body: readonly Uint8Array[] = []): void {
    if (this.#closed) return
    if (kind) {
      this.#putFrame(this.#control, kind, {}, body)
      this.#write(this.#control)
    }
    this.#closed = true
    this.#control = []
    for (const line of [this.#urgent, this.#ready, this.#waiting]) line.clear()
  }

  /** What is handed over in one turn of the program leaves together. */
  #schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      try {
        this.#pump()
      } catch (thrown) {
        this.#events.failed(asError(thrown))
      }
    })
  }

  #pump(): void {
    while (this.#writable && !this.#closed) {
      const parts = this.#control
      let bytes = this.#controlBytes
      this.#control = []
      this.#controlBytes = 0
      while (bytes < batchBytes) {
        const more = this.#turn(parts)
        if (more === 0) break
        bytes += more
      }
      if (bytes === 0) return
      this.#writable = this.#write(parts)
    }
  }

  #write(parts: readonly Uint8Array[]): boolean {
    this.#wrote = true
    return this.#stream.write(parts)
  }

  /** Gives one message its turn. Answers how many bytes that gives; none where none may go. */
  #turn(parts: Uint8Array[]): number {
    const parcel = first(this.#urgent) ?? (this.#onTheWay < windowBytes ? first(this.#ready) : undefined)
    if (!parcel) return 0
    const { id, answer, urgent, start } = parcel
    const key = keyOf(answer, id)
    const line = urgent ? this.#urgent : this.#ready
    line.delete(key)
    let bytes = 0
    if (!parcel.started) {
      parcel.started = true
      const crc = this.#limits.checksums ? crc32c(start.subarray(headerBytes)) : undefined
      const length = start.length - headerBytes
      putHeader(start, { kind: 'start', id, answer, urgent, length, padding: 0, crc })
      parts.push(start)
      bytes += start.length
      this.#sentBytes += start.length
    }
    const before = parcel.sent
    const chunk = parcel.total > 0 ? takeChunk(parcel) : []
    this.#onTheWay += parcel.sent - before
    if (chunk.length > 0) bytes += this.#putFrame(parts, 'chunk', { id, answer }, chunk)
    if (parcel.sent === parcel.total) this.#events.left(answer, id)
    // One byte less than allowed: half of a 16-bit word does not go.
    else if (parcel.allowed < parcel.total && parcel.sent + 1 >= parcel.allowed)
      this.#waiting.set(key, parcel)
    else if (chunk.length === 0)
      throw new InternalError('the memory of a tensor was taken away while it was sent')
    else line.set(key, parcel)
    return bytes
  }

  /** Adds a frame to the parts of a write. Answers its bytes. */
  #putFrame(
    parts: Uint8Array[],
    kind: FrameKind,
    { id = 0, answer = false, urgent = false }: FrameParts,
    body: readonly Uint8Array[],
  ): number {
    let length = 0
    for (const piece of body) length += piece.length
    const crc = this.#limits.checksums ? body.reduce((before, piece) => crc32c(piece, before), 0) : undefined
    const header = cut(headerBytes)
    const padding = length < alignedBytes ? undefined : paddingAt(this.#sentBytes)
    putHeader(header, { kind, id, answer, urgent, length, padding: padding?.length ?? 0, crc })
    parts.push(header)
    if (padding) parts.push(padding)
    parts.push(...body)
    const bytes = headerBytes + (padding?.length ?? 0) + length
    this.#sentBytes += bytes
    return bytes
  }
}

/** Calls and answers are told apart by the sign. */
const keyOf = (answer: boolean, id: number): number => (answer ? -id : id)

function first<V>(map: ReadonlyMap<unknown, V>): V | undefined {
  for (const value of map.values()) return value
  return undefined
}

/** The next bytes of a message, of as many of its parts as it takes. */
function takeChunk(parcel: Parcel): readonly Uint8Array[] {
  const chunk: Uint8Array[] = []
  let room = Math.min(chunkBytes, parcel.allowed - parcel.sent)
  while (room > 0 && parcel.index < parcel.parts.length) {
    const part = parcel.parts[parcel.index]!
    const rest = part.type.bytes - parcel.offset
    const piece = part.take(parcel.offset, Math.min(room, rest))
    if (rest > 0 && piece.length === 0) break
    if (piece.length > 0) chunk.push(piece)
    room -= piece.length
    parcel.sent += piece.length
    parcel.offset += piece.length
    if (parcel.offset < part.type.bytes) continue
    parcel.index++
    parcel.offset = 0
  }
  return chunk
}
