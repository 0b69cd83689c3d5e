// A file seen as lines of text, read in large blocks; no line takes more memory than lines may.
import type { FileHandle } from 'node:fs/promises'

/** The most bytes of a line. */
export const maxLineBytes = 2 ** 22

/** A line of a file. */
export interface Line {
  /** Without its end; undefined where it is longer than lines may be. */
  readonly text: string | undefined
  /** Where it begins in the file, in bytes. */
  readonly at: number
  /** Where the next one begins. */
  readonly next: number
  /** Does it end? Only the last one may not. */
  readonly ended: boolean
}

const blockBytes = 2 ** 18
const newline = 10

/** The lines of a file between two positions; `from` is where one begins. */
export async function* linesOf(
  file: FileHandle,
  from: number,
  to: number,
): AsyncGenerator<Line, void, undefined> {
  const block = Buffer.allocUnsafe(Math.max(1, Math.min(blockBytes, to - from)))
  let begun = new Beginning()
  let at = from
  for (let position = from; position < to; ) {
    const { bytesRead } = await file.read(block, 0, Math.min(block.length, to - position), position)
    if (bytesRead === 0) break
    const got = block.subarray(0, bytesRead)
    let start = 0
    for (let end = got.indexOf(newline); end >= 0; end = got.indexOf(newline, start)) {
      const next = position + end + 1
      yield { text: begun.with(got.subarray(start, end)), at, next, ended: true }
      begun = new Beginning()
      at = next
      start = end + 1
    }
    begun.add(got.subarray(start))
    position += bytesRead
  }
  if (begun.bytes > 0) yield { text: begun.with(new Uint8Array(0)), at, next: at + begun.bytes, ended: false }
}

/** What is known of a line whose end was not read yet. */
class Beginning {
  bytes = 0
  #parts: Uint8Array[] = []

  /** Keeps a copy: the block is read into again. */
  add(part: Uint8Array): void {
    this.bytes += part.length
    if (this.bytes > maxLineBytes) this.#parts = []
    else if (part.length > 0) this.#parts.push(Buffer.from(part))
  }

  /** The text of the line that ends with this. */
  with(end: Buffer | Uint8Array): string | undefined {
    if (this.bytes + end.length > maxLineBytes) return undefined
    return (
      this.#parts.length === 0
        ? Buffer.from(end.buffer, end.byteOffset, end.length)
        : Buffer.concat([...this.#parts, end])
    ).toString()
  }
}
