// What arrives: chunks are copied straight into the tensors' memory, of several messages in turns. Memory is taken when a message is let in.
import { part } from './byteStream.ts'
import type { Header } from './header.ts'
import type { FrameSink } from './reader.ts'
import type { Limits } from './limits.ts'
import { chunkBytes, earlyBytes, errorBytes, windowBytes } from './limits.ts'
import type { Start } from './start.ts'
import { bodyBytes, decodeStart, longestStart, memoryOf } from './start.ts'
import type { Arriving } from './wireForm.ts'
import { arriving } from './wireForm.ts'
import { asError, ProtocolError } from '../errors.ts'
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
  readonly total: number
  got: number
  /** Where its tensors come to lie, once it is let in, and before that the bytes that came early. */
  tensors: readonly Arriving[] | undefined
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
  /** Calls that wait for memory, and the bytes of those that have it. */
  readonly #waiting = new Set<Arrival>()
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
    if (arrival.tensors) fill(arrival, bytes)
    else {
      if (arrival.got + bytes.length > earlyBytes)
        throw new ProtocolError(`call ${id} did not wait to be let in`)
      if (arrival.early.length === 0) arrival.early = new Uint8Array(earlyBytes)
      arrival.early.set(bytes, arrival.got)
    }
    arrival.got += bytes.length
  }

  ends(header: Header, body: Uint8Array): void {
    const { kind, id, answer, urgent } = header
    if (kind === 'start') this.#begin(id, answer, urgent, decodeStart(body, this.#limits))
    else if (kind === 'chunk') this.#finishIfWhole(this.#of(answer).get(id))
    else this.#events.control(header, body)
  }

  /** What is still to come of a message is wanted no more. */
  drop(answer: boolean, id: number): void {
    const arrival = this.#of(answer).get(id)
    if (!arrival) return
    this.#of(answer).delete(id)
    this.#waiting.delete(arrival)
    if (!answer) this.release(id)
  }

  /** Call `id` of the peer is over, and holds no memory any more. */
  release(id: number): void {
    this.#heldBytes -= this.#held.get(id) ?? 0
    this.#held.delete(id)
    for (const arrival of this.#waiting) {
      if (!this.#fits(arrival)) return
      this.#waiting.delete(arrival)
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

  #begin(id: number, answer: boolean, urgent: boolean, start: Start): void {
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
      total,
      got: 0,
      tensors: undefined,
      early: none,
      index: 0,
      offset: 0,
    }
    arrivals.set(id, arrival)
    // The caller of an answer waits for it; calls wait until there is memory, all but the small ones.
    if (answer || total <= earlyBytes || this.#fits(arrival)) this.#letIn(arrival)
    else this.#waiting.add(arrival)
  }

  #fits({ start }: Arrival): boolean {
    return this.#heldBytes === 0 || this.#heldBytes + memoryOf(start.tensors) <= this.#limits.servedBytes
  }

  #letIn(arrival: Arrival): void {
    const { id, answer, start, total, early, got } = arrival
    try {
      const into = answer ? this.#events.into(id) : undefined
      arrival.tensors = start.tensors.map((type, index) => arriving(type, index, into))
    } catch (thrown) {
      // Memory that the caller gave and that does not fit, or that there is not: this call's misfortune alone.
      this.drop(answer, id)
      const error = asError(thrown)
      return answer ? this.#events.failed(id, error) : this.#events.refused(id, error)
    }
    if (!answer && total > earlyBytes) {
      const bytes = memoryOf(start.tensors)
      this.#held.set(id, bytes)
      this.#heldBytes += bytes
      this.#events.admit(id)
    }
    arrival.early = none
    fill(arrival, early.subarray(0, got))
    this.#finishIfWhole(arrival)
  }

  #finishIfWhole(arrival: Arrival | undefined): void {
    if (!arrival?.tensors || arrival.got < arrival.total) return
    const { id, answer, urgent, start } = arrival
    this.#of(answer).delete(id)
    const message = { head: start.head, tensors: arrival.tensors.map((tensor) => tensor.finish()) }
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

/** Copies the next bytes of a message to where they belong. */
function fill(arrival: Arrival, bytes: Uint8Array): void {
  let at = 0
  while (at < bytes.length) {
    const tensor = arrival.tensors![arrival.index]!
    const piece = part(bytes, at, at + tensor.type.bytes - arrival.offset)
    tensor.put(arrival.offset, piece)
    at += piece.length
    arrival.offset += piece.length
    if (arrival.offset < tensor.type.bytes) continue
    arrival.index++
    arrival.offset = 0
  }
}
