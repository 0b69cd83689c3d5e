// tf.train.Example: named features, each a list of byte strings, floats or 64-bit integers, as TFRecords usually hold them.
//
// message Example { Features features = 1 }        message Features { map<string, Feature> feature = 1 }
// message Feature { oneof kind { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3 } }
// each list: repeated value = 1, numbers packed
import type { Field } from './protobuf.ts'
import { bytesField, fieldsOf, varint, varintsOf } from './protobuf.ts'
import { DataError } from '../errors.ts'
import { concat } from '../source.ts'

/** The values of one feature. */
export type Feature =
  | { readonly kind: 'bytes'; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'float'; readonly values: Float32Array }
  | { readonly kind: 'int64'; readonly values: BigInt64Array }

/** Features by name. */
export type Example = ReadonlyMap<string, Feature>

/** Reads a serialised tf.train.Example. Unknown fields are passed over. @throws DataError when it is malformed. */
export function decodeExample(bytes: Uint8Array): Example {
  const features = new Map<string, Feature>()
  for (const example of submessages(bytes, 1, 0))
    for (const entry of submessages(example.value, 1, example.offset)) {
      let name = ''
      let feature: Feature | undefined
      for (const field of fieldsOf(entry.value, entry.offset)) {
        if (field.number === 1 && field.kind === 'bytes') name = text(field.value, field.offset)
        if (field.number === 2 && field.kind === 'bytes')
          feature = decodeFeature(field.value, field.offset) ?? feature
      }
      // A feature without a kind holds nothing; TensorFlow reads it as absent.
      if (feature) features.set(name, feature)
    }
  return features
}

function decodeFeature(bytes: Uint8Array, base: number): Feature | undefined {
  let feature: Feature | undefined
  for (const field of fieldsOf(bytes, base)) {
    if (field.kind !== 'bytes') continue
    const items = [...fieldsOf(field.value, field.offset)].filter((item) => item.number === 1)
    if (field.number === 1)
      feature = {
        kind: 'bytes',
        values: items.flatMap((item) => (item.kind === 'bytes' ? [item.value] : [])),
      }
    if (field.number === 2) feature = { kind: 'float', values: Float32Array.from(items.flatMap(floats)) }
    if (field.number === 3) feature = { kind: 'int64', values: BigInt64Array.from(items.flatMap(integers)) }
  }
  return feature
}

// Lists may be packed or not, whatever the schema prefers.
function floats(item: Field): number[] {
  if (item.kind === 'varint' || item.value.length % 4 !== 0)
    throw new DataError('a float list that is not made of 4-byte floats', { offset: item.offset })
  const view = new DataView(item.value.buffer, item.value.byteOffset, item.value.byteLength)
  return Array.from({ length: item.value.length / 4 }, (_, i) => view.getFloat32(4 * i, true))
}

function integers(item: Field): bigint[] {
  if (item.kind === 'varint') return [BigInt.asIntN(64, item.value)]
  if (item.kind === 'fixed')
    throw new DataError('an int64 list that is not made of varints', { offset: item.offset })
  return Array.from(varintsOf(item.value, item.offset), (value) => BigInt.asIntN(64, value))
}

function* submessages(
  bytes: Uint8Array,
  number: number,
  base: number,
): Generator<{ value: Uint8Array; offset: number }> {
  for (const field of fieldsOf(bytes, base))
    if (field.number === number && field.kind === 'bytes') yield field
}

function text(bytes: Uint8Array, offset: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new DataError('a feature name is not UTF-8', { offset, cause })
  }
}

/** Serialises a tf.train.Example, numbers packed, features in the order of the map. */
export function encodeExample(example: Example): Uint8Array {
  const entries = Array.from(example, ([name, feature]) =>
    bytesField(1, [bytesField(1, [new TextEncoder().encode(name)]), bytesField(2, [encodeFeature(feature)])]),
  )
  return bytesField(1, entries)
}

function encodeFeature(feature: Feature): Uint8Array {
  switch (feature.kind) {
    case 'bytes':
      return bytesField(
        1,
        feature.values.map((value) => bytesField(1, [value])),
      )
    case 'float': {
      const { buffer, byteOffset, byteLength } = feature.values
      return bytesField(2, packed([new Uint8Array(buffer, byteOffset, byteLength)]))
    }
    case 'int64':
      return bytesField(3, packed(Array.from(feature.values, varint)))
    default:
      return feature satisfies never
  }
}

const packed = (parts: readonly Uint8Array[]): Uint8Array[] => {
  const values = concat(
    parts.length === 0 ? [new Uint8Array(0)] : parts,
    parts.reduce((sum, part) => sum + part.length, 0),
  )
  return values.length === 0 ? [] : [bytesField(1, [values])]
}
