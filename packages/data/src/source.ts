// Where bytes come from: memory, a stream, or a file that can be opened again; all become one stream of chunks.
import { DataError } from './errors.ts'

/** Bytes as they arrive. */
export type ByteStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/** Bytes that can be read again and again, under a name that errors tell. */
export interface ByteFile {
  /** A path or address. */
  readonly name: string
  /** Begins to read. */
  open(): ByteStream | Promise<ByteStream>
}

/** What readers read. A bare stream can be read once; a ByteFile and bytes in memory, any number of times. */
export type ByteSource = Uint8Array | ByteStream | ByteFile

/** Is it packed? `auto` looks at the first two bytes. */
export type Compression = 'auto' | 'gzip' | 'none'

/** What every reader can be told. */
export interface ReadOptions {
  /** `auto` when left out. */
  readonly compression?: Compression
  /** The most bytes that a whole file may unpack to; 2 GiB when left out. */
  readonly maxBytes?: number
}

/** The most bytes that a reader of whole files takes unless told otherwise. */
export const defaultMaxBytes: number = 2 ** 31

/** The name for messages, if there is one. */
export const nameOf = (source: ByteSource): string | undefined => ('open' in source ? source.name : undefined)

/** The bytes of a source, unpacked, chunk by chunk. @throws DataError for a stream that was read before, or corrupt gzip. */
export async function* chunksOf(
  source: ByteSource,
  compression: Compression = 'auto',
): AsyncGenerator<Uint8Array, void, undefined> {
  const raw = rawChunks(source)
  if (compression === 'none') {
    yield* raw
    return
  }
  const file = nameOf(source)
  const { head, rest } = await split(raw, 2)
  const packed = compression === 'gzip' || (head[0] === 0x1f && head[1] === 0x8b)
  yield* packed ? gunzip(rest, file) : rest
}

async function* rawChunks(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  if (source instanceof Uint8Array) {
    yield plain(source)
    return
  }
  const stream = 'open' in source ? await source.open() : once(source)
  const chunks = stream instanceof ReadableStream ? streamed(stream) : stream
  for await (const chunk of chunks) {
    if (!(chunk instanceof Uint8Array))
      throw new DataError(`the stream gave a ${typeof chunk}, not bytes`, { file: nameOf(source) })
    if (chunk.length > 0) yield plain(chunk)
  }
}

// A Node Buffer's slice() shares memory where a Uint8Array's copies.
const plain = (bytes: Uint8Array): Uint8Array =>
  bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const opened = new WeakSet<object>()

function once(stream: ByteStream): ByteStream {
  if (opened.has(stream))
    throw new DataError('this stream was read before: give a ByteFile, which can be opened anew')
  opened.add(stream)
  return stream
}

// Not every browser can iterate a ReadableStream.
async function* streamed(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const step = await reader.read()
      if (step.done) return
      yield step.value
    }
  } finally {
    await reader.cancel()
  }
}

/** Looks at the first bytes and gives them back with the rest. */
async function split(
  chunks: AsyncGenerator<Uint8Array, void, undefined>,
  count: number,
): Promise<{ head: Uint8Array; rest: AsyncGenerator<Uint8Array, void, undefined> }> {
  let head: Uint8Array = new Uint8Array(0)
  while (head.length < count) {
    const step = await chunks.next()
    if (step.done) break
    head = head.length === 0 ? step.value : concat([head, step.value], head.length + step.value.length)
  }
  async function* rest(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      if (head.length > 0) yield head
      yield* chunks
    } finally {
      await chunks.return()
    }
  }
  return { head, rest: rest() }
}

async function* gunzip(
  chunks: AsyncGenerator<Uint8Array, void, undefined>,
  file: string | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let failure: { readonly error: unknown } | undefined
  const packed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const step = await chunks.next()
        if (step.done) controller.close()
        else controller.enqueue(step.value as Uint8Array<ArrayBuffer>)
      } catch (error) {
        failure = { error }
        controller.error(error)
      }
    },
    async cancel() {
      await chunks.return()
    },
  })
  let offset = 0
  try {
    for await (const chunk of streamed(packed.pipeThrough(new DecompressionStream('gzip')))) {
      offset += chunk.length
      yield chunk
    }
  } catch (error) {
    if (failure) throw failure.error
    throw new DataError('the gzip data is truncated or corrupt', { file, offset, cause: error })
  }
}

/** Chunks of `length` bytes in all, as one; the chunk itself when there is only one. */
export function concat(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!
  const whole = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}
