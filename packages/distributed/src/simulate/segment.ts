// The pieces in which bytes travel, and the memory that they travel in.

/** What one end tells the other. */
export type Segment =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Nothing follows. */
  | { readonly kind: 'end' }
  /** Whatever follows is in vain. */
  | { readonly kind: 'reset' }

/** Takes segments from one end to the other, in their order. */
export type Carry = (segment: Segment) => void

/** Memory for segments, used again and again: most of the time of a run would go into getting and clearing it. */
export class SegmentMemory {
  readonly #segmentBytes: number
  readonly #free: ArrayBuffer[] = []

  constructor(segmentBytes: number) {
    this.#segmentBytes = segmentBytes
  }

  /** So many bytes, at most a segment; what is in them is to be overwritten. */
  take(length: number): Uint8Array {
    // Small ones may be many at a time: each has what it needs and no more.
    if (length < this.#segmentBytes / 4) return new Uint8Array(length)
    return new Uint8Array(this.#free.pop() ?? new ArrayBuffer(this.#segmentBytes), 0, length)
  }

  /** Nobody reads these bytes any more. */
  giveBack({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === this.#segmentBytes) this.#free.push(buffer)
  }
}
