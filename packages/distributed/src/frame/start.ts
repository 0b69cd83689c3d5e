// How a message begins on the wire: the method, the head, and what its tensors are. Their bytes follow in chunks.
import type { DType } from '@shoal/core'
import { dtypes, sizeOf } from '@shoal/core'
import { LimitError, ProtocolError } from '../errors.ts'
import type { Limits } from './limits.ts'
import { earlyBytes, maxRank, methodBytes, shortHeadBytes, tensorCostBytes } from './limits.ts'
import { cut } from './memory.ts'
import { putU32, putU64, u32At, u64At } from './numbers.ts'
import type { WireTensor } from './wireForm.ts'

/** The beginning of a message. An answer has no method. */
export interface Start {
  readonly method: string
  /** Nothing where the head is long: it follows in chunks then. */
  readonly head: Uint8Array
  readonly headBytes: number
  readonly tensors: readonly WireTensor[]
}

/** Does a head follow in chunks? */
export const isLongHead = (headBytes: number): boolean => headBytes > shortHeadBytes

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const none: Uint8Array = new Uint8Array(0)

/** The numbers of the dtypes on the wire. Part of the protocol: new ones go to the end. */
export const codes: readonly DType[] = [
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int8',
  'uint8',
  'int16',
  'int32',
  'int64',
  'uint32',
  'bool',
  'string',
]

const bytesOf = (tensors: readonly WireTensor[]): number => tensors.reduce((sum, { bytes }) => sum + bytes, 0)
/** What the tensors of a message take in memory, which is more than on the wire where they travel in 16 bits. */
export const memoryOf = (tensors: readonly WireTensor[]): number =>
  tensors.reduce(
    (sum, { dtype, shape, bytes }) =>
      sum + (dtype === 'string' ? bytes : sizeOf(shape) * dtypes[dtype].bytes),
    0,
  )

/** The longest start that is within the limits. */
export const longestStart = ({ headBytes, tensors }: Limits): number =>
  10 + methodBytes + Math.min(headBytes, shortHeadBytes) + tensors * (11 + 8 * maxRank)

/** What is wrong with the size of a message; nothing where it is within the limits. */
function excess(
  { headBytes, tensors }: Pick<Start, 'headBytes' | 'tensors'>,
  methodLength: number,
  limits: Limits,
): string | undefined {
  if (methodLength > methodBytes)
    return `the method's name has ${methodLength} bytes, at most ${methodBytes} may be`
  if (headBytes > limits.headBytes)
    return `its head has ${headBytes} bytes, at most ${limits.headBytes} may be`
  if (tensors.length > limits.tensors)
    return `it has ${tensors.length} tensors, at most ${limits.tensors} may be`
  const bytes = memoryOf(tensors)
  if (bytes > limits.messageBytes)
    return `its tensors have ${bytes} bytes, at most ${limits.messageBytes} may be`
  return undefined
}

/** Is every letter one byte of UTF-8? */
function isPlain(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 127) return false
  return true
}

/** The bytes of a start, behind so many that are left free; a long head is not in them. @throws LimitError when the message is too large. */
export function encodeStart(
  { method, head, tensors }: Omit<Start, 'headBytes'>,
  limits: Limits,
  free = 0,
): Uint8Array {
  const headBytes = head.length
  const own = isLongHead(headBytes) ? none : head
  const name = isPlain(method) ? undefined : encoder.encode(method)
  const nameLength = name?.length ?? method.length
  const deep = tensors.find(({ shape }) => shape.length > maxRank)
  const fault =
    excess({ headBytes, tensors }, nameLength, limits) ??
    (deep && `a tensor has ${deep.shape.length} axes, at most ${maxRank} may be`)
  if (fault) throw new LimitError(`a message ${method && `for '${method}' `}is too large: ${fault}`)
  const axes = tensors.reduce((sum, { shape }) => sum + shape.length, 0)
  const bytes = cut(free + 10 + nameLength + own.length + 11 * tensors.length + 8 * axes)
  bytes[free] = nameLength >> 8
  bytes[free + 1] = nameLength
  let at = free + 2
  if (name) bytes.set(name, at)
  else for (let i = 0; i < nameLength; i++) bytes[at + i] = method.charCodeAt(i)
  at += nameLength
  putU32(bytes, at, headBytes)
  bytes.set(own, at + 4)
  at += 4 + own.length
  putU32(bytes, at, tensors.length)
  at += 4
  for (const { dtype, wire, shape, bytes: length } of tensors) {
    bytes[at] = codes.indexOf(dtype)
    bytes[at + 1] = codes.indexOf(wire)
    bytes[at + 2] = shape.length
    at += 3
    for (const size of shape) {
      putU64(bytes, at, size)
      at += 8
    }
    putU64(bytes, at, length)
    at += 8
  }
  return bytes
}

/** Reads numbers and pieces one after the other. */
class Cursor {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  u8(): number {
    return this.#bytes[this.#skip(1)]!
  }

  u32(): number {
    return u32At(this.#bytes, this.#skip(4))
  }

  u64(): number {
    const value = u64At(this.#bytes, this.#skip(8))
    if (!Number.isSafeInteger(value)) throw new ProtocolError('a size beyond what a number holds')
    return value
  }

  piece(length: number): Uint8Array {
    const start = this.#skip(length)
    return this.#bytes.subarray(start, start + length)
  }

  #skip(length: number): number {
    const start = this.#at
    if (start + length > this.#bytes.length)
      throw new ProtocolError('a message begins with less than it says')
    this.#at += length
    return start
  }
}

/** Reads a start; a head that is in it is copied. @throws ProtocolError for what is malformed or beyond the limits. */
export function decodeStart(bytes: Uint8Array, limits: Limits): Start {
  const cursor = new Cursor(bytes)
  const nameLength = cursor.u8() * 256 + cursor.u8()
  const name = nameLength > 0 ? cursor.piece(nameLength) : none
  const headBytes = cursor.u32()
  const head = headBytes > 0 && !isLongHead(headBytes) ? cursor.piece(headBytes) : none
  const count = cursor.u32()
  if (count > limits.tensors)
    throw new ProtocolError(`a message of ${count} tensors, at most ${limits.tensors} may be`)
  const tensors: WireTensor[] = []
  while (tensors.length < count) tensors.push(readTensor(cursor))
  if (!cursor.isAtEnd) throw new ProtocolError('a message begins with more than it says')
  const fault = excess({ headBytes, tensors }, nameLength, limits)
  if (fault) throw new ProtocolError(`a message is too large: ${fault}`)
  return { method: nameLength > 0 ? decoder.decode(name) : '', head: head.slice(), headBytes, tensors }
}

function readTensor(cursor: Cursor): WireTensor {
  const [dtype, wire, rank] = [codes[cursor.u8()], codes[cursor.u8()], cursor.u8()]
  if (!dtype || !wire || rank > maxRank) throw new ProtocolError('a tensor of no dtype or of too many axes')
  const shape: number[] = []
  while (shape.length < rank) shape.push(cursor.u64())
  const tensor = { dtype, wire, shape, bytes: cursor.u64() }
  checkTensor(tensor)
  return tensor
}

/** A tensor's bytes are what its shape and dtype say; of strings, at least the lengths. */
function checkTensor({ dtype, wire, shape, bytes }: WireTensor): void {
  const size = sizeOf(shape)
  const narrowed = dtype === 'float32' && (wire === 'float16' || wire === 'bfloat16')
  const right = dtype === 'string' ? bytes >= 4 * size : bytes === size * dtypes[wire].bytes
  if (!Number.isSafeInteger(size * 8) || !right || (wire !== dtype && !narrowed))
    throw new ProtocolError(
      `a tensor that travels as ${bytes} bytes of ${wire} is no ${dtype} of ${size} elements`,
    )
}

/** The bytes that follow a start in chunks. */
export const bodyBytes = ({ headBytes, tensors }: Pick<Start, 'headBytes' | 'tensors'>): number =>
  (isLongHead(headBytes) ? headBytes : 0) + bytesOf(tensors)

/** What it takes to keep track of a message that begins with so many bytes, before any more of it is there. */
export const descriptionBytes = (startBytes: number, tensors: number): number =>
  startBytes + tensors * tensorCostBytes

/** How many of the bytes that follow may come before a call is let in. */
export const earlyRoom = (description: number): number => Math.max(0, earlyBytes - description)
