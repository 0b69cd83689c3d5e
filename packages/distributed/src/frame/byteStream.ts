// A stream of bytes both ways: what sockets and WebSockets have in common.

/** What a stream tells its reader. */
export interface ByteStreamEvents {
  /** Bytes came. They are only lent: the memory is used again after the call. */
  bytes(piece: Uint8Array): void
  /** After a `write` that answered false: there is room again. */
  drained(): void
  /** The stream is over, cleanly or not. Told once. */
  ended(error?: Error): void
}

/** Bytes both ways, in order. */
export interface ByteStream {
  /** Called once, before anything else. */
  start(events: ByteStreamEvents): void
  /** Takes bytes, which may not change until they are written out. Answers false where more should wait for `drained`. */
  write(parts: readonly Uint8Array[]): boolean
  /** Bytes that were taken and are not yet written out. */
  readonly queued: number
  /** Writes out what was taken, then ends. */
  end(): void
  /** Ends now. */
  destroy(): void
}

/** The bytes from one place to another: the same object where these are all, since a new one costs as much as a kilobyte's copy. */
export const part = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  from === 0 && to >= bytes.length ? bytes : bytes.subarray(from, to)

type Allocate = (length: number) => Uint8Array
const newMemory: Allocate = (length) => new Uint8Array(length)

/** Pieces of so few bytes together are cheaper copied into one than written one by one. */
const gatherBytes = 2 ** 16

/** The bytes of all. */
export const lengthOf = (parts: readonly Uint8Array[]): number => {
  let length = 0
  for (const piece of parts) length += piece.length
  return length
}

/** The same bytes in one piece. `allocate` makes memory, whatever it holds. */
export function join(parts: readonly Uint8Array[], allocate = newMemory): Uint8Array {
  const [first] = parts
  if (parts.length === 1) return first!
  const all = allocate(lengthOf(parts))
  let at = 0
  for (const piece of parts) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** The same bytes in as few pieces as is cheap. */
export const gather = (parts: readonly Uint8Array[], allocate = newMemory): readonly Uint8Array[] =>
  parts.length === 1 || lengthOf(parts) > gatherBytes ? parts : [join(parts, allocate)]
