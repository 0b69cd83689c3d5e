// How a message begins on the wire: the method, the head, and what its tensors are. Their bytes follow in chunks.
import type { DType } from '@shoal/core'
import { dtypes, sizeOf } from '@shoal/core'
import { LimitError, ProtocolError } from '../errors.ts'
import type { Limits } from './limits.ts'
import { maxRank, methodBytes } from './limits.ts'
import { putU32, putU64, u32At, u64At } from './numbers.ts'
import type { WireTensor } from './wireForm.ts'

/** The beginning of a message. An answer has no method. */
export interface Start {
  readonly method: string
  readonly head: Uint8Array
  readonly tensors: readonly WireTensor[]
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

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
  10 + methodBytes + headBytes + tensors * (11 + 8 * maxRank)

/** What is wrong with the size of a message; nothing where it is within the limits. */
function excess(
  { head, tensors }: Omit<Start, 'method'>,
  methodLength: number,
  limits: Limits,
): string | undefined {
  if (methodLength > methodBytes)
    return `the method's name has ${methodLength} bytes, at most ${methodBytes} may be`
  if (head.length > limits.headBytes)
    return `its head has ${head.length} bytes, at most ${limits.headBytes} may be`
  if (tensors.length > limits.tensors)
    return `it has ${tensors.length} tensors, at most ${limits.tensors} may be`
  const bytes = memoryOf(tensors)
  if (bytes > limits.messageBytes)
    return `its tensors have ${bytes} bytes, at most ${limits.messageBytes} may be`
  return undefined
}

/** A name as UTF-8; one of plain letters is quickest by hand. */
function utf8(name: string): Uint8Array {
  const bytes = new Uint8Array(name.length)
  for (let i = 0; i < bytes.length; i++) {
    const code = name.charCodeAt(i)
    if (code > 127) return encoder.encode(name)
    bytes[i] = code
  }
  return bytes
}

/** The bytes of a start. @throws LimitError when the message is too large. */
export function encodeStart({ method, head, tensors }: Start, limits: Limits): Uint8Array {
  const name = utf8(method)
  const deep = tensors.find(({ shape }) => shape.length > maxRank)
  const fault =
    excess({ head, tensors }, name.length, limits) ??
    (deep && `a tensor has ${deep.shape.length} axes, at most ${maxRank} may be`)
  if (fault) throw new LimitError(`a message ${method && `for '${method}' `}is too large: ${fault}`)
  const axes = tensors.reduce((sum, { shape }) => sum + shape.length, 0)
  const bytes = new Uint8Array(10 + name.length + head.length + 11 * tensors.length + 8 * axes)
  bytes[0] = name.length >> 8
  bytes[1] = name.length
  bytes.set(name, 2)
  let at = 2 + name.length
  putU32(bytes, at, head.length)
  bytes.set(head, at + 4)
  at += 4 + head.length
  putU32(bytes, at, tensors.length)
  at += 4
  for (const { dtype, wire, shape, bytes: length } of tensors) {
    bytes[at] = codes.indexOf(dtype)
    bytes[at + 1] = codes.indexOf(wire)
    bytes[at + 2] = shape.length
    at += 3
    for (const size of [...shape, length]) {
      putU64(bytes, at, size)
      at += 8
    }
  }
  return bytes
}

/** Reads a start; the head is copied. @throws ProtocolError for what is malformed or beyond the limits. */
export function decodeStart(bytes: Uint8Array, limits: Limits): Start {
  let at = 0
  const skip = (length: number): number => {
    if (at + length > bytes.length) throw new ProtocolError('a message begins with less than it says')
    at += length
    return at - length
  }
  const u8 = (): number => bytes[skip(1)]!
  const u32 = (): number => u32At(bytes, skip(4))
  const u64 = (): number => {
    const value = u64At(bytes, skip(8))
    if (!Number.isSafeInteger(value)) throw new ProtocolError('a size beyond what a number holds')
    return value
  }
  const raw = (length: number): Uint8Array => {
    const start = skip(length)
    return bytes.subarray(start, start + length)
  }
  const name = raw(u8() * 256 + u8())
  const head = raw(u32())
  const count = u32()
  if (count > limits.tensors)
    throw new ProtocolError(`a message of ${count} tensors, at most ${limits.tensors} may be`)
  const tensors = Array.from({ length: count }, (): WireTensor => {
    const [dtype, wire, rank] = [codes[u8()], codes[u8()], u8()]
    if (!dtype || !wire || rank > maxRank) throw new ProtocolError('a tensor of no dtype or of too many axes')
    const tensor = { dtype, wire, shape: Array.from({ length: rank }, u64), bytes: u64() }
    checkTensor(tensor)
    return tensor
  })
  if (at !== bytes.length) throw new ProtocolError('a message begins with more than it says')
  const fault = excess({ head, tensors }, name.length, limits)
  if (fault) throw new ProtocolError(`a message is too large: ${fault}`)
  return { method: name.length > 0 ? decoder.decode(name) : '', head: head.slice(), tensors }
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
export const bodyBytes = ({ tensors }: Pick<Start, 'tensors'>): number => bytesOf(tensors)
