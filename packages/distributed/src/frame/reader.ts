// Cuts a stream of bytes into frames. Only bodies that are read whole are kept, and only where a piece of the stream ends within one.
import { crc32c } from '@shoal/data'
import { ProtocolError } from '../errors.ts'
import { part } from './byteStream.ts'
import type { Header } from './header.ts'
import { decodeHeader, headerBytes } from './header.ts'

/** Takes frames. All bytes are lent. */
export interface FrameSink {
  /** A frame begins. @throws ProtocolError where its length is not what its kind may have: before memory is taken for it. */
  begins(header: Header): void
  /** Bytes of a chunk. */
  piece(header: Header, bytes: Uint8Array): void
  /** A frame is there, and undamaged; `body` is empty for chunks, whose bytes came as pieces. */
  ends(header: Header, body: Uint8Array): void
}

const nothing: Uint8Array = new Uint8Array(0)

/** Reads frames from pieces of a stream, wherever it is cut. */
export class FrameReader {
  readonly #sink: FrameSink
  readonly #headerBuffer = new Uint8Array(headerBytes)
  #header: Header | undefined
  #padding = 0
  #got = 0
  #crc = 0
  #body: Uint8Array = nothing

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** @throws ProtocolError for anything that is no frame, and what the sink throws. */
  push(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length || this.#isWhole()) {
      if (!this.#header) at = this.#readHeader(bytes, at)
      else if (this.#padding > 0) at = this.#skip(bytes, at)
      else at = this.#readBody(this.#header, bytes, at)
    }
  }

  #isWhole(): boolean {
    return this.#header !== undefined && this.#padding === 0 && this.#got === this.#header.length
  }

  #skip(bytes: Uint8Array, at: number): number {
    const skipped = Math.min(this.#padding, bytes.length - at)
    this.#padding -= skipped
    return at + skipped
  }

  #readHeader(bytes: Uint8Array, at: number): number {
    if (this.#got === 0 && bytes.length - at >= headerBytes) {
      this.#begin(decodeHeader(bytes, at))
      return at + headerBytes
    }
    const piece = bytes.subarray(at, at + headerBytes - this.#got)
    this.#headerBuffer.set(piece, this.#got)
    this.#got += piece.length
    // What is no frame at all is known by its first four bytes.
    if (this.#got < headerBytes)
      return this.#got >= 4 ? this.#checkMagic(at + piece.length) : at + piece.length
    this.#begin(decodeHeader(this.#headerBuffer))
    return at + piece.length
  }

  #begin(header: Header): void {
    this.#sink.begins(header)
    this.#header = header
    this.#padding = header.padding
    this.#got = 0
    this.#crc = 0
  }

  #checkMagic(at: number): number {
    const known = new Uint8Array(headerBytes)
    known.set(this.#headerBuffer.subarray(0, 4))
    decodeHeader(known)
    return at
  }

  #readBody(header: Header, bytes: Uint8Array, at: number): number {
    const piece = part(bytes, at, at + header.length - this.#got)
    if (header.crc !== undefined) this.#crc = crc32c(piece, this.#crc)
    let body: Uint8Array = nothing
    if (header.kind === 'chunk') {
      if (piece.length > 0) this.#sink.piece(header, piece)
    } else if (piece.length === header.length) body = piece
    else {
      if (this.#got === 0) this.#body = new Uint8Array(header.length)
      this.#body.set(piece, this.#got)
      body = this.#body
    }
    this.#got += piece.length
    if (!this.#isWhole()) return at + piece.length
    if (header.crc !== undefined && header.crc !== this.#crc)
      throw new ProtocolError(`a frame of kind '${header.kind}', call ${header.id}, was damaged on the way`)
    this.#header = undefined
    this.#got = 0
    this.#body = nothing
    this.#sink.ends(header, body)
    return at + piece.length
  }
}
