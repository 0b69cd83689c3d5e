// How a message begins on the wire: the method, the head, and what its tensors are. Their bytes follow in chunks.
import type { DType } from '@shoal/core'
import { dtypes, sizeOf } from '@shoal/core'
import { LimitError, ProtocolError } from '../errors.ts'
import type { Limits } from './limits.ts'
import { maxRank, methodBytes } from './limits.ts'
import type { WireTensor } from './wireForm.ts'

/** The beginning of a message. An answer has no method. */
export interface Start {
  readonly method: string
  readonly head: Uint8Array
  readonly tensors: readonly WireTensor[]
}

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

/** The bytes of a start. @throws LimitError when the message is too large. */
export function encodeStart({ method, head, tensors }: Start, limits: Limits): Uint8Array {
  const name = new TextEncoder().encode(method)
  const deep = tensors.find(({ shape }) => shape.length > maxRank)
  const fault =
    excess({ head, tensors }, name.length, limits) ??
    (deep && `a tensor has ${deep.shape.length} axes, at most ${maxRank} may be`)
  if (fault) throw new LimitError(`a message ${method && `for '${method}' `}is too large: ${fault}`)
  const axes = tensors.reduce((sum, { shape }) => sum + shape.length, 0)
  const bytes = new Uint8Array(10 + name.length + head.length + 11 * tensors.length + 8 * axes)
  const view = new DataView(bytes.buffer)
  let at = 0
  const u8 = (value: number): void => view.setUint8(at++, value)
  const u32 = (value: number): void => {
    view.setUint32(at, value)
    at += 4
  }
  const u64 = (value: number): void => {
    view.setBigUint64(at, BigInt(value))
    at += 8
  }
  const raw = (value: Uint8Array): void => {
    bytes.set(value, at)
    at += value.length
  }
  u8(name.length >> 8)
  u8(name.length & 255)
  raw(name)
  u32(head.length)
  raw(head)
  u32(tensors.length)
  for (const { dtype, wire, shape, bytes: length } of tensors) {
    u8(codes.indexOf(dtype))
    u8(codes.indexOf(wire))
    u8(shape.length)
    shape.forEach(u64)
    u64(length)
  }
  return bytes
}

/** Reads a start; the head is copied. @throws ProtocolError for what is malformed or beyond the limits. */
export function decodeStart(bytes: Uint8Array, limits: Limits): Start {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const skip = (length: number): number => {
    if (at + length > bytes.length) throw new ProtocolError('a message begins with less than it says')
    at += length
    return at - length
  }
  const u8 = (): number => view.getUint8(skip(1))
  const u32 = (): number => view.getUint32(skip(4))
  const u64 = (): number => {
    const value = Number(view.getBigUint64(skip(8)))
    if (!Number.isSafeInteger(value)) throw new ProtocolError('a size beyond what a number holds')
    return value
  }
  const raw = (length: number): Uint8Array => {
    const start = skip(length)
    return bytes.slice(start, start + length)
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
  return { method: new TextDecoder().decode(name), head, tensors }
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
