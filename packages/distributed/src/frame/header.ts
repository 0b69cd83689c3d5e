// The twenty bytes before everything that travels: what it is, whose call it belongs to, and how long it is.
import { ProtocolError } from '../errors.ts'
import { putU32, u32At } from './numbers.ts'

/**
 * The bytes of a header, all numbers big-endian: magic 4, kind 1, flags 1, padding 1, zero 1, call id 4, length of the body 4, CRC-32C of the body 4.
 * The padding is a number of bytes between header and body that say nothing.
 */
export const headerBytes = 20

/** The version of the protocol, the last byte of the magic. */
export const protocolVersion = 1

/** 'SHL' and the version. */
const magic = 0x53484c00 | protocolVersion

/** What a frame is. Its place in this list is its number. */
const kinds = ['alive', 'start', 'chunk', 'error', 'cancel', 'admit', 'window', 'close'] as const
/**
 * alive: nothing, but somebody is there. start: a message begins. chunk: the next bytes of its tensors. error: the answer is an error.
 * cancel: the caller gave up. admit: there is memory for the rest of a call. window: bytes of chunks were taken in. close: the end, and why.
 */
export type FrameKind = (typeof kinds)[number]

/** A frame without its body. `answer` tells whether the id is one of a call by the receiver of the frame. */
export interface Header {
  readonly kind: FrameKind
  readonly id: number
  readonly answer: boolean
  readonly urgent: boolean
  readonly length: number
  /** Bytes to be skipped before the body. */
  readonly padding: number
  /** The checksum that the body must have, if its sender made one. */
  readonly crc: number | undefined
}

/**
 * Bodies of many bytes begin at a multiple of this in the stream: to and from memory of another alignment the system copies them a fifth slower.
 */
const alignment = 64
const zeros: Uint8Array = new Uint8Array(alignment)

/** The padding of a frame whose header is at this place of a stream. */
export const paddingAt = (position: number): Uint8Array =>
  zeros.subarray(0, (alignment - ((position + headerBytes) % alignment)) % alignment)

const flagAnswer = 1
const flagUrgent = 2
const flagChecked = 4

/** Writes a header to the first bytes of memory. */
export function putHeader(
  bytes: Uint8Array,
  { kind, id, answer, urgent, length, padding, crc }: Header,
): void {
  putU32(bytes, 0, magic)
  bytes[4] = kinds.indexOf(kind)
  bytes[5] = (answer ? flagAnswer : 0) | (urgent ? flagUrgent : 0) | (crc === undefined ? 0 : flagChecked)
  bytes[6] = padding
  bytes[7] = 0
  putU32(bytes, 8, id)
  putU32(bytes, 12, length)
  putU32(bytes, 16, crc ?? 0)
}

/** The header that 20 bytes from `at` on say. @throws ProtocolError for anything else, naming the version where only that differs. */
export function decodeHeader(bytes: Uint8Array, at = 0): Header {
  const start = u32At(bytes, at)
  if (start !== magic) {
    if (start >>> 8 === magic >>> 8)
      throw new ProtocolError(
        `the peer speaks version ${start & 255} of the protocol, this end version ${protocolVersion}`,
      )
    const hex = start.toString(16).padStart(8, '0')
    throw new ProtocolError(`no frame begins with ${hex}: the peer speaks another protocol`)
  }
  const kind = kinds[bytes[at + 4]!]
  const flags = bytes[at + 5]!
  const padding = bytes[at + 6]!
  if (kind === undefined || flags > 7 || padding >= alignment || bytes[at + 7] !== 0)
    throw new ProtocolError(`a frame of unknown kind ${bytes[at + 4]}, flags ${flags} or padding ${padding}`)
  return {
    kind,
    id: u32At(bytes, at + 8),
    answer: (flags & flagAnswer) !== 0,
    urgent: (flags & flagUrgent) !== 0,
    length: u32At(bytes, at + 12),
    padding,
    crc: flags & flagChecked ? u32At(bytes, at + 16) : undefined,
  }
}
