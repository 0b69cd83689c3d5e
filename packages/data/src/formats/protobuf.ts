// The wire format of Protocol Buffers: numbered fields of four kinds. No schema, only what the bytes say.
import { DataError } from '../errors.ts'
import { concat } from '../source.ts'

/** One field of a message: a varint as a bigint, or the bytes of a fixed-size or length-prefixed value. */
export type Field =
  | { readonly number: number; readonly kind: 'varint'; readonly offset: number; readonly value: bigint }
  | {
      readonly number: number
      readonly kind: 'fixed' | 'bytes'
      readonly offset: number
      readonly value: Uint8Array
    }

/** The fields of a message in their order. `base` is where the message begins, for errors. @throws DataError when it is malformed. */
export function* fieldsOf(message: Uint8Array, base: number = 0): Generator<Field, void, undefined> {
  for (let at = 0; at < message.length; ) {
    const offset = base + at
    const tag = readVarint(message, at, base)
    at = tag.next
    const number = Number(tag.value >> 3n)
    if (number < 1 || number > 0x1fffffff) throw new DataError(`protobuf field number ${number}`, { offset })
    const type = Number(tag.value & 7n)
    if (type === 0) {
      const varint = readVarint(message, at, base)
      at = varint.next
      yield { number, kind: 'varint', offset, value: varint.value }
      continue
    }
    const prefix = type === 2 ? readVarint(message, at, base) : undefined
    const begin = prefix?.next ?? at
    const length = prefix ? Number(prefix.value) : type === 1 ? 8 : type === 5 ? 4 : undefined
    if (length === undefined) throw new DataError(`protobuf wire type ${type} is not known`, { offset })
    if (length > message.length - begin)
      throw new DataError(
        `truncated: field ${number} needs ${length} bytes, ${message.length - begin} are left`,
        { offset },
      )
    at = begin + length
    yield {
      number,
      kind: prefix ? 'bytes' : 'fixed',
      offset: base + begin,
      value: message.subarray(begin, at),
    }
  }
}

/** The varints that lie one after the other in a packed field. */
export function* varintsOf(packed: Uint8Array, base: number): Generator<bigint, void, undefined> {
  for (let at = 0; at < packed.length; ) {
    const { value, next } = readVarint(packed, at, base)
    yield value
    at = next
  }
}

function readVarint(bytes: Uint8Array, at: number, base: number): { value: bigint; next: number } {
  let low = 0
  // Most are short: bigints are needed only from the fifth byte on.
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) throw new DataError('truncated: a varint has no end', { offset: base + at })
    low |= (byte & 127) << (7 * i)
    if (byte < 128) return { value: BigInt(low), next: at + i + 1 }
  }
  let value = BigInt(low)
  for (let i = 4; i < 10; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) throw new DataError('truncated: a varint has no end', { offset: base + at })
    value |= BigInt(byte & 127) << BigInt(7 * i)
    if (byte < 128) return { value: BigInt.asUintN(64, value), next: at + i + 1 }
  }
  throw new DataError('a varint of more than ten bytes', { offset: base + at })
}

/** The bytes of a varint; negative numbers take ten, as int64 does. */
export function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}

/** A length-prefixed field that holds the given parts one after the other. */
export function bytesField(number: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const head = [varint((number << 3) | 2), varint(length)]
  const all = [...head, ...parts]
  return concat(
    all,
    all.reduce((sum, part) => sum + part.length, 0),
  )
}
