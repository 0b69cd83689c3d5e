// The twenty bytes before everything that travels: what it is, whose call it belongs to, and how long it is.
import { ProtocolError } from '../errors.ts'

/** The bytes of a header, all numbers big-endian: magic 4, kind 1, flags 1, zero 2, call id 4, length of the body 4, CRC-32C of the body 4. */
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
  /** The checksum that the body must have, if its sender made one. */
  readonly crc: number | undefined
}

const flagAnswer = 1
const flagUrgent = 2
const flagChecked = 4

/** The bytes of a header. */
export function encodeHeader({ kind, id, answer, urgent, length, crc }: Header): Uint8Array {
  const bytes = new Uint8Array(headerBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic)
  view.setUint8(4, kinds.indexOf(kind))
  view.setUint8(
    5,
    (answer ? flagAnswer : 0) | (urgent ? flagUrgent : 0) | (crc === undefined ? 0 : flagChecked),
  )
  view.setUint32(8, id)
  view.setUint32(12, length)
  view.setUint32(16, crc ?? 0)
  return bytes
}

/** The header that 20 bytes say. @throws ProtocolError for anything else, naming the version where only that differs. */
export function decodeHeader(bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes)
  const start = view.getUint32(0)
  if (start !== magic) {
    if (start >>> 8 === magic >>> 8)
      throw new ProtocolError(
        `the peer speaks version ${start & 255} of the protocol, this end version ${protocolVersion}`,
      )
    const hex = start.toString(16).padStart(8, '0')
    throw new ProtocolError(`no frame begins with ${hex}: the peer speaks another protocol`)
  }
  const kind = kinds[view.getUint8(4)]
  const flags = view.getUint8(5)
  if (kind === undefined || flags > 7 || view.getUint16(6) !== 0)
    throw new ProtocolError(`a frame of unknown kind ${view.getUint8(4)} or flags ${flags}`)
  return {
    kind,
    id: view.getUint32(8),
    answer: (flags & flagAnswer) !== 0,
    urgent: (flags & flagUrgent) !== 0,
    length: view.getUint32(12),
    crc: flags & flagChecked ? view.getUint32(16) : undefined,
  }
}
