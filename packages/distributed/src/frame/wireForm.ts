// Tensors as bytes on their way: how each leaves its memory, and how it comes to lie in another.
import type { DType, NDArray, Size } from '@shoal/core'
import { dtypes, fromBytes, NDArray as Values, sizeOf } from '@shoal/core'
import { ProtocolError } from '../errors.ts'
import type { Into, WireType } from '../transport/contract.ts'
import { checkRoom } from '../transport/placement.ts'
import { narrow, widenInPlace } from './half.ts'

/** What the start of a message says of one tensor. */
export interface WireTensor {
  readonly dtype: DType
  /** The dtype that its bytes are in: its own, or 16 bits for float32. */
  readonly wire: DType
  readonly shape: Size
  /** Its bytes on the way. */
  readonly bytes: number
}

/** A tensor that leaves. */
export interface Leaving {
  readonly type: WireTensor
  /** At most `most` of its bytes from `offset` on; none where so few make no whole element. */
  take(offset: number, most: number): Uint8Array
}

/** A tensor that arrives. */
export interface Arriving {
  readonly type: WireTensor
  put(offset: number, piece: Uint8Array): void
  /** The tensor, when all its bytes are there. @throws ProtocolError for bytes that are no strings. */
  finish(): NDArray
}

/** How a tensor leaves: its own memory, or made as it goes. */
export function leaving(tensor: NDArray, wire?: WireType): Leaving {
  const { dtype, shape } = tensor
  if (dtype === 'float32' && wire) {
    const values = tensor.data as Float32Array
    return {
      type: { dtype, wire, shape, bytes: 2 * values.length },
      take: (offset, most) => narrow(values.subarray(offset / 2, (offset + most) >> 1), wire),
    }
  }
  const bytes = dtype === 'string' ? encodeStrings(tensor.data as readonly string[]) : tensor.bytes
  return {
    type: { dtype, wire: dtype, shape, bytes: bytes.byteLength },
    take: (offset, most) => bytes.subarray(offset, offset + most),
  }
}

/** How a head leaves that follows in chunks. */
export const leavingHead = (head: Uint8Array): Leaving => leaving(new Values('uint8', [head.length], head))

/** How such a head arrives. */
export const arrivingHead = (bytes: number): Arriving =>
  arriving({ dtype: 'uint8', wire: 'uint8', shape: [bytes], bytes }, 0)

/** How a tensor arrives, in memory that `into` gives or of its own. @throws ValueError for memory that does not fit. */
export function arriving(type: WireTensor, index: number, into?: Into): Arriving {
  const { dtype, wire, shape, bytes } = type
  if (dtype === 'string') {
    const encoded = new Uint8Array(bytes)
    return {
      type,
      put: (offset, piece) => encoded.set(piece, offset),
      finish: () => new Values(dtype, shape, decodeStrings(encoded, sizeOf(shape))),
    }
  }
  const size = sizeOf(shape) * dtypes[dtype].bytes
  const memory = into ? checkRoom(into(dtype, shape, index), size, dtype) : new Uint8Array(size)
  const behind = size - bytes
  return {
    type,
    put: (offset, piece) => memory.set(piece, behind + offset),
    finish() {
      if (wire !== dtype) widenInPlace(memory, wire as WireType)
      return fromBytes(dtype, shape, memory)
    },
  }
}

/** Each string as the number of its bytes (4, little-endian) and UTF-8. */
function encodeStrings(strings: readonly string[]): Uint8Array {
  const encoder = new TextEncoder()
  const encoded = strings.map((string) => encoder.encode(string))
  const all = new Uint8Array(encoded.reduce((sum, { length }) => sum + 4 + length, 0))
  const view = new DataView(all.buffer)
  let at = 0
  for (const bytes of encoded) {
    view.setUint32(at, bytes.length, true)
    all.set(bytes, at + 4)
    at += 4 + bytes.length
  }
  return all
}

function decodeStrings(bytes: Uint8Array, count: number): string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const next = (): string => {
    const end = at + 4 <= bytes.length ? at + 4 + view.getUint32(at, true) : Infinity
    if (end > bytes.length) throw new ProtocolError(`a tensor of ${count} strings ends before they do`)
    const start = at + 4
    at = end
    try {
      return decoder.decode(bytes.subarray(start, end))
    } catch {
      throw new ProtocolError('a string is not UTF-8')
    }
  }
  const strings = Array.from({ length: count }, next)
  if (at !== bytes.length) throw new ProtocolError(`a tensor of ${count} strings goes on after them`)
  return strings
}
