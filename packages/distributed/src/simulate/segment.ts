// The pieces in which bytes travel, and the memory that they travel in.

/** What one end tells the other. */
export type Segment =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Nothing follows. */
  | { readonly kind: 'end' }
  /** Whatever follows is in vain. */
  | { readonly kind: 'reset' }

/** Takes segments from one end to the other, in their order. */
export type Carry = (segment: Segment) => void

/** Memory for segments, used again and again: most of the time of a run would go into getting, clearing and freeing it. */
export class SegmentMemory {
  /** What is free, by the binary logarithm of its size. */
  readonly #free: ArrayBuffer[][] = Array.from({ length: 32 }, () => [])

  /** So many bytes, at least one; what is in them is to be overwritten. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const log = 32 - Math.clz32(length - 1)
    return new Uint8Array(this.#free[log]!.pop() ?? new ArrayBuffer(2 ** log), 0, length)
  }

  /** Nobody reads these bytes, which `take` gave, any more. */
  giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
    this.#free[31 - Math.clz32(buffer.byteLength)]!.push(buffer)
  }
}
