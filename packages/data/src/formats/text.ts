// UTF-8 text: whole, or line by line.
import { Dataset } from '../dataset.ts'
import { DataError } from '../errors.ts'
import type { ByteSource, Compression, ReadOptions } from '../source.ts'
import { chunksOf, defaultMaxBytes, nameOf } from '../source.ts'

/** How to read lines. */
export interface LineOptions {
  /** `auto` when left out. */
  readonly compression?: Compression
  /** The longest line that is accepted, in UTF-16 code units; 16 Mi when left out. */
  readonly maxLineLength?: number
}

/** Decodes a source piece by piece; a byte order mark is left out. @throws DataError for bytes that are not UTF-8. */
export async function* decodeText(
  source: ByteSource,
  compression?: Compression,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let offset = 0
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode()
    } catch (cause) {
      throw new DataError('not UTF-8, here or shortly after', { file: nameOf(source), offset, cause })
    }
  }
  for await (const chunk of chunksOf(source, compression)) {
    yield decode(chunk)
    offset += chunk.length
  }
  yield decode()
}

/** A whole text. @throws DataError when it is not UTF-8 or longer than maxBytes (counted as UTF-16 code units). */
export async function readText(
  source: ByteSource,
  { compression, maxBytes = defaultMaxBytes }: ReadOptions = {},
): Promise<string> {
  const pieces: string[] = []
  let length = 0
  for await (const piece of decodeText(source, compression)) {
    length += piece.length
    // Engines hold strings of half a gigabyte at most.
    if (length > Math.min(maxBytes, 2 ** 29 - 64))
      throw new DataError('the text is too long for one string: read it by lines', { file: nameOf(source) })
    pieces.push(piece)
  }
  return pieces.join('')
}

/** The lines of a text without their ends, which may be \n or \r\n. A last line end begins no further line. */
export function readLines(source: ByteSource, options: LineOptions = {}): Dataset<string> {
  return Dataset.from(() => lines(source, options))
}

async function* lines(
  source: ByteSource,
  { compression, maxLineLength = 2 ** 24 }: LineOptions,
): AsyncGenerator<string, void, undefined> {
  let rest = ''
  let line = 1
  const check = (length: number): void => {
    if (length > maxLineLength)
      throw new DataError(`a line of more than ${maxLineLength} characters`, { file: nameOf(source), line })
  }
  for await (const piece of decodeText(source, compression)) {
    const parts = piece.split('\n')
    parts[0] = rest + parts[0]!
    rest = parts.pop()!
    for (const part of parts) {
      check(part.length)
      line++
      yield part.endsWith('\r') ? part.slice(0, -1) : part
    }
    check(rest.length)
  }
  if (rest !== '') yield rest
}
