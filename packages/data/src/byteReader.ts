// Reads exactly what a format asks for from bytes that come in chunks; memory grows with what arrives, not with what a header claims.
import { DataError } from './errors.ts'
import type { ByteSource, Compression } from './source.ts'
import { chunksOf, concat, nameOf } from './source.ts'

/** What is longer is put together as it arrives, so that its pieces need not wait for the last of them. */
const longRead = 2 ** 20
/** The same bytes with room for at least `needed` and at most `most`. */
function grown(bytes: Uint8Array, needed: number, most: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(most, Math.max(needed, 2 * bytes.length)))
  larger.set(bytes)
  return larger
}

/** A position in a stream of bytes. */
export class ByteReader {
  /** The name of the file, for messages. */
  readonly file: string | undefined
  readonly #chunks: AsyncGenerator<Uint8Array, void, undefined>
  #waiting: Uint8Array[] = []
  #available = 0
  #offset = 0

  constructor(source: ByteSource, compression?: Compression) {
    this.file = nameOf(source)
    this.#chunks = chunksOf(source, compression)
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset
  }

  /** The next `count` bytes, which may share memory with the source. @throws DataError when they are not there. */
  async read(count: number, what: string): Promise<Uint8Array> {
    if (count <= longRead) {
      while (this.#available < count && (await this.#pull()));
      if (this.#available >= count) return this.#consume(count)
      throw this.error(`truncated: ${what} needs ${count} bytes, ${this.#available} are left`)
    }
    const start = this.#offset
    let bytes = new Uint8Array(longRead)
    for (let filled = 0; filled < count; ) {
      if (await this.atEnd())
        throw this.error(`truncated: ${what} needs ${count} bytes, ${filled} are left`, start)
      const part = this.#consume(Math.min(this.#waiting[0]!.length, count - filled))
      if (filled + part.length > bytes.length) bytes = grown(bytes, filled + part.length, count)
      bytes.set(part, filled)
      filled += part.length
    }
    return bytes
  }

  /** Everything that is left. @throws DataError when it is more than `maxBytes`. */
  async readAll(maxBytes: number): Promise<Uint8Array> {
    while (this.#available <= maxBytes && (await this.#pull()));
    if (this.#available > maxBytes)
      throw this.error(`more than ${maxBytes} bytes: raise maxBytes if that is meant`)
    return this.#consume(this.#available)
  }

  /** Is there nothing left? */
  async atEnd(): Promise<boolean> {
    return this.#available === 0 && !(await this.#pull())
  }

  /** @throws DataError when there is more. */
  async expectEnd(): Promise<void> {
    if (!(await this.atEnd())) throw this.error('there are bytes after the end of the data')
  }

  /** Closes the source. */
  async close(): Promise<void> {
    await this.#chunks.return()
  }

  /** An error that tells file and offset. */
  error(message: string, offset: number = this.#offset): DataError {
    return new DataError(message, { file: this.file, offset })
  }

  async #pull(): Promise<boolean> {
    const step = await this.#chunks.next()
    if (step.done) return false
    this.#waiting.push(step.value)
    this.#available += step.value.length
    return true
  }

  #consume(count: number): Uint8Array {
    this.#offset += count
    this.#available -= count
    const parts: Uint8Array[] = []
    let [left, used] = [count, 0]
    while (left > 0) {
      const chunk = this.#waiting[used]!
      parts.push(chunk.subarray(0, left))
      if (chunk.length > left) this.#waiting[used] = chunk.subarray(left)
      else used++
      left -= Math.min(left, chunk.length)
    }
    this.#waiting = this.#waiting.slice(used)
    return parts.length === 0 ? new Uint8Array(0) : concat(parts, count)
  }
}

/** Reads with a fresh ByteReader and closes it, however that ends. */
export async function reading<T>(
  source: ByteSource,
  compression: Compression | undefined,
  body: (reader: ByteReader) => Promise<T>,
): Promise<T> {
  const reader = new ByteReader(source, compression)
  try {
    return await body(reader)
  } finally {
    await reader.close()
  }
}
