// One end of a simulated connection, as the frames above it see it: a stream of bytes like any other.
import type { ByteStream, ByteStreamEvents } from '../frame/byteStream.ts'
import { ConnectionLostError } from '../errors.ts'
import type { SimulatedProcess } from './process.ts'
import type { Carry, Segment, SegmentMemory } from './segment.ts'
import type { Sender } from './uplink.ts'

/** While so many bytes wait for the uplink nothing is added; as sockets have it by default. */
const highWaterBytes = 2 ** 16

/** A stream of bytes of one process. */
export class SimulatedStream implements ByteStream, Sender {
  readonly #process: SimulatedProcess
  readonly #carry: Carry
  readonly #ready: () => void
  readonly #memory: SegmentMemory
  #events: ByteStreamEvents | undefined
  /** What came before anybody was there to take it. */
  #early: Segment[] = []
  /** What waits for the uplink, and how many bytes: those on it now are queued, but wait no more. */
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #queued = 0
  #full = false
  #ending = false
  #endSent = false
  #endReceived = false
  #over = false

  /** @param ready told that there is something for the uplink. */
  constructor(process: SimulatedProcess, carry: Carry, ready: () => void) {
    this.#process = process
    this.#carry = carry
    this.#ready = ready
    this.#memory = process.node.network.memory
    process.open(this)
  }

  start(events: ByteStreamEvents): void {
    this.#events = events
    for (const segment of this.#early.splice(0)) this.receive(segment)
  }

  get queued(): number {
    return this.#queued
  }

  write(parts: readonly Uint8Array[]): boolean {
    if (this.#over || this.#ending) return true
    for (const part of parts) {
      if (part.length === 0) continue
      this.#waiting.push(part)
      this.#waitingBytes += part.length
      this.#queued += part.length
    }
    this.#full = this.#queued >= highWaterBytes
    this.#ready()
    return !this.#full
  }

  end(): void {
    if (this.#over || this.#ending) return
    this.#ending = true
    this.#ready()
  }

  destroy(): void {
    if (this.#over) return
    this.#carry({ kind: 'reset' })
    this.#finish()
  }

  /** The process is dead: the stream is too, and tells nobody here. `reset`: the system tells the peer. */
  die(reset: boolean): void {
    if (!this.#over && reset) this.#carry({ kind: 'reset' })
    this.#abandon()
  }

  depart(mostBytes: number): number | undefined {
    if (this.#over) return undefined
    const bytes = this.#take(mostBytes)
    if (bytes) this.#carry({ kind: 'bytes', bytes })
    else if (this.#ending && !this.#endSent) {
      this.#endSent = true
      this.#carry({ kind: 'end' })
    } else return undefined
    return bytes?.length ?? 0
  }

  departed(bytes: number): void {
    this.#queued -= bytes
    if (this.#over) return
    if (this.#full && this.#queued === 0) {
      this.#full = false
      this.#process.wake(() => this.#events?.drained())
    }
    if (this.#endSent && this.#endReceived) this.#process.wake(() => this.#finish())
  }

  /** Something came from the peer, and the process is there to take it. */
  receive(segment: Segment): void {
    if (this.#over) return
    const events = this.#events
    if (!events) {
      this.#early.push(segment)
      return
    }
    switch (segment.kind) {
      case 'bytes':
        events.bytes(segment.bytes)
        return this.#memory.giveBack(segment.bytes)
      case 'end':
        this.#endReceived = true
        this.end()
        if (this.#endSent && this.#queued === 0) this.#finish()
        return
      case 'reset':
        return this.#finish(new ConnectionLostError('the peer reset the connection'))
    }
  }

  /** The next bytes, copied, for their memory is free again once they have left. */
  #take(mostBytes: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#waitingBytes === 0) return undefined
    const bytes = this.#memory.take(Math.min(mostBytes, this.#waitingBytes))
    this.#waitingBytes -= bytes.length
    let at = 0
    while (at < bytes.length) {
      const part = this.#waiting[0]!
      const piece = part.subarray(0, bytes.length - at)
      bytes.set(piece, at)
      at += piece.length
      if (piece.length === part.length) this.#waiting.shift()
      else this.#waiting[0] = part.subarray(piece.length)
    }
    return bytes
  }

  #finish(error?: Error): void {
    if (this.#over) return
    this.#abandon()
    this.#events?.ended(error)
  }

  #abandon(): void {
    this.#over = true
    this.#waiting = []
    this.#waitingBytes = 0
    this.#process.shut(this)
  }
}
