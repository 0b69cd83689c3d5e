// What arrives: chunks are copied straight into the tensors' memory, of several messages in turns. Memory is taken, and counted, when a message is let in.
import { part } from './byteStream.ts'
import type { Header } from './header.ts'
import type { FrameSink } from './reader.ts'
import type { Limits } from './limits.ts'
import { chunkBytes, earlyBytes, errorBytes, windowBytes } from './limits.ts'
import type { Start } from './start.ts'
import {
  bodyBytes,
  decodeStart,
  descriptionBytes,
  earlyRoom,
  isLongHead,
  longestStart,
  memoryOf,
} from './start.ts'
import type { Arriving } from './wireForm.ts'
import { arriving, arrivingHead } from './wireForm.ts'
import { asError, LimitError, ProtocolError } from '../errors.ts'
import type { Into } from '../transport/contract.ts'
import { type Envelope, maxOpenCalls } from '../transport/link.ts'

/** What the receiving half tells, and asks. */
export interface InboxEvents {
  received(envelope: Envelope): void
  /** Does anybody still await the answer to call `id`? */
  awaits(id: number): boolean
  into(id: number): Into | undefined
  /** The answer to call `id` cannot be received. */
  failed(id: number, error: Error): void
  /** Call `id` of the peer cannot be received. */
  refused(id: number, error: Error): void
  /** Memory is there for the rest of call `id`. */
  admit(id: number): void
  /** So many bytes of chunks were taken in. */
  takenIn(bytes: number): void
  /** A frame that is none of a message. */
  control(header: Header, body: Uint8Array): void
}

/** A message on its way in. */
interface Arrival {
  readonly id: number
  readonly answer: boolean
  readonly urgent: boolean
  readonly start: Start
  /** What it takes here before it is let in, besides what comes early. */
  readonly description: number
  /** The bytes that follow its start. */
  readonly total: number
  got: number
  /** Where a long head and the tensors come to lie, once it is let in, and before that the bytes that came early. */
  parts: readonly Arriving[] | undefined
  early: Uint8Array
  index: number
  offset: number
}

const none: Uint8Array = new Uint8Array(0)

/** The receiving half of a connection. */
export class Inbox implements FrameSink {
  readonly #limits: Limits
  readonly #events: InboxEvents
  readonly #calls = new Map<number, Arrival>()
  readonly #answers = new Map<number, Arrival>()
  /** Calls that wait for memory, with what the long descriptions among theirs take, and the bytes of those that were let in. */
  readonly #waiting = new Set<Arrival>()
  #waitingBytes = 0
  readonly #held = new Map<number, number>()
  #heldBytes = 0
  #takenIn = 0

  constructor(limits: Limits, events: InboxEvents) {
    this.#limits = limits
    this.#events = events
  }

  begins({ kind, length }: Header): void {
    const most =
      kind === 'start'
        ? longestStart(this.#limits)
        : kind === 'chunk'
          ? chunkBytes
          : kind === 'error' || kind === 'close'
            ? errorBytes
            : 0
    if (length > most)
      throw new ProtocolError(`a frame of kind '${kind}' has ${length} bytes, at most ${most} may be`)
  }

  piece({ id, answer }: Header, bytes: Uint8Array): void {
    this.#countIn(bytes.length)
    const arrival = this.#of(answer).get(id)
    // The rest of what was given up.
    if (!arrival) return
    if (arrival.got + bytes.length > arrival.total)
      throw new ProtocolError(`call ${id} has more bytes than it said`)
    if (arrival.parts) fill(arrival, bytes)
    else {
      const room = earlyRoom(arrival.description)
      if (arrival.got + bytes.length > room) throw new ProtocolError(`call ${id} did not wait to be let in`)
      if (arrival.early.length === 0) arrival.early = new Uint8Array(room)
      arrival.early.set(bytes, arrival.got)
    }
    arrival.got += bytes.length
  }

  ends(header: Header, body: Uint8Array): void {
    const { kind, id, answer, urgent } = header
    if (kind === 'start') this.#begin(id, answer, urgent, decodeStart(body, this.#limits), body.length)
    else if (kind === 'chunk') this.#finishIfWhole(this.#of(answer).get(id))
    else this.#events.control(header, body)
  }

  /** What is still to come of a message is wanted no more. */
  drop(answer: boolean, id: number): void {
    const arrival = this.#of(answer).get(id)
    if (!arrival) return
    this.#of(answer).delete(id)
    this.#leave(arrival)
    if (!answer) this.release(id)
  }

  /** Call `id` of the peer is over, and holds no memory any more. */
  release(id: number): void {
    this.#heldBytes -= this.#held.get(id) ?? 0
    this.#held.delete(id)
    for (const arrival of this.#waiting) {
      if (!this.#fits(arrival)) return
      this.#leave(arrival)
      this.#letIn(arrival)
    }
  }

  /** Forgets everything. */
  close(): void {
    for (const all of [this.#calls, this.#answers, this.#waiting, this.#held]) all.clear()
  }

  #of(answer: boolean): Map<number, Arrival> {
    return answer ? this.#answers : this.#calls
  }

  #begin(id: number, answer: boolean, urgent: boolean, start: Start, startBytes: number): void {
    const arrivals = this.#of(answer)
    if (arrivals.has(id)) throw new ProtocolError(`call ${id} began twice`)
    if (arrivals.size >= maxOpenCalls) throw new ProtocolError(`more than ${maxOpenCalls} messages at a time`)
    if (answer && !this.#events.awaits(id)) return
    const total = bodyBytes(start)
    const arrival: Arrival = {
      id,
      answer,
      urgent,
      start,
      description: descriptionBytes(startBytes, start.tensors.length),
      total,
      got: 0,
      parts: undefined,
      early: none,
      index: 0,
      offset: 0,
    }
    arrivals.set(id, arrival)
    // The caller of an answer waits for it; calls wait until there is memory, all but the small ones.
    if (answer || isSmall(arrival) || this.#fits(arrival)) this.#letIn(arrival)
    else this.#wait(arrival)
  }

  #fits(arrival: Arrival): boolean {
    return this.#held.size === 0 || this.#heldBytes + memoryFor(arrival) <= this.#limits.servedBytes
  }

  /** What comes early, and a short description, every call may have; of long descriptions no more wait than there is memory to serve. */
  #wait(arrival: Arrival): void {
    const { id } = arrival
    const bytes = this.#waitingBytes + longDescription(arrival)
    if (bytes > this.#limits.servedBytes && this.#waitingBytes > 0 && longDescription(arrival) > 0) {
      this.#calls.delete(id)
      const fault = `${bytes} bytes describe the tensors of calls that wait here, at most ${this.#limits.servedBytes} may`
      return this.#events.refused(id, new LimitError(fault))
    }
    this.#waiting.add(arrival)
    this.#waitingBytes = bytes
  }

  /** A call waits no more. */
  #leave(arrival: Arrival): void {
    if (this.#waiting.delete(arrival)) this.#waitingBytes -= longDescription(arrival)
  }

  #letIn(arrival: Arrival): void {
    const { id, answer, start, early, got } = arrival
    try {
      const into = answer ? this.#events.into(id) : undefined
      const tensors = start.tensors.map((type, index) => arriving(type, index, into))
      arrival.parts = isLongHead(start.headBytes) ? [arrivingHead(start.headBytes), ...tensors] : tensors
    } catch (thrown) {
      // Memory that the caller gave and that does not fit, or that there is not: this call's misfortune alone.
      this.drop(answer, id)
      const error = asError(thrown)
      return answer ? this.#events.failed(id, error) : this.#events.refused(id, error)
    }
    if (!answer && !isSmall(arrival)) {
      const bytes = memoryFor(arrival)
      this.#held.set(id, bytes)
      this.#heldBytes += bytes
      this.#events.admit(id)
    }
    arrival.early = none
    fill(arrival, early.subarray(0, got))
    this.#finishIfWhole(arrival)
  }

  #finishIfWhole(arrival: Arrival | undefined): void {
    if (!arrival?.parts || arrival.got < arrival.total) return
    const { id, answer, urgent, start } = arrival
    this.#of(answer).delete(id)
    const tensors = arrival.parts.map((part) => part.finish())
    const head = isLongHead(start.headBytes) ? tensors.shift()!.bytes : start.head
    const message = { head, tensors }
    this.#events.received(
      answer
        ? { kind: 'answer', id, message, urgent }
        : { kind: 'call', id, method: start.method, message, urgent },
    )
  }

  #countIn(bytes: number): void {
    this.#takenIn += bytes
    if (this.#takenIn < windowBytes / 2) return
    this.#events.takenIn(this.#takenIn)
    this.#takenIn = 0
  }
}

/** Need a call not wait? Both ends must come to the same answer. */
const isSmall = ({ description, total }: Arrival): boolean => description + total <= earlyBytes

/** What a call holds here until it is served. */
const memoryFor = ({ description, start }: Arrival): number =>
  description + (isLongHead(start.headBytes) ? start.headBytes : 0) + memoryOf(start.tensors)

/** What describes a call, where that is more than any may have sent of itself before it is let in. */
const longDescription = ({ description }: Arrival): number => (description > earlyBytes ? description : 0)

/** Copies the next bytes of a message to where they belong. */
function fill(arrival: Arrival, bytes: Uint8Array): void {
  let at = 0
  while (at < bytes.length) {
    const next = arrival.parts![arrival.index]!
    const piece = part(bytes, at, at + next.type.bytes - arrival.offset)
    next.put(arrival.offset, piece)
    at += piece.length
    arrival.offset += piece.length
    if (arrival.offset < next.type.bytes) continue
    arrival.index++
    arrival.offset = 0
  }
}
