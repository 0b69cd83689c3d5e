// Safetensors: named arrays in one file that nothing in it can make run code or take memory beyond its own size.
import type { NDArray } from '@shoal/core'
import { dtypes, fromBytes } from '@shoal/core'
import { CheckpointError } from './errors.ts'
import type { TensorEntry } from './safetensorsHeader.ts'
import { formatName, headerLength, maxHeaderBytes, parseHeader, prefixBytes } from './safetensorsHeader.ts'

/** Arrays by name. */
export type NamedArrays = ReadonlyMap<string, NDArray> | { readonly [name: string]: NDArray }
/** What a file holds. */
export interface Safetensors {
  /** In the order in which they lie in the file. */
  readonly tensors: ReadonlyMap<string, NDArray>
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * A safetensors file in parts, the header first: for writing without a copy of everything.
 * @throws CheckpointError for strings, for an array named `__metadata__`, or for a header over 100 MB.
 */
export function safetensorsParts(
  tensors: NamedArrays,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const named =
    tensors instanceof Map
      ? [...(tensors as ReadonlyMap<string, NDArray>)]
      : Object.entries(tensors as Record<string, NDArray>)
  // The widest elements first: so each array begins at a multiple of its element size, and can be used where it lies.
  named.sort(([, a], [, b]) => dtypes[b.dtype].bytes - dtypes[a.dtype].bytes)
  let at = 0
  const described = named.map(([name, array]) => {
    if (name === '__metadata__') throw new CheckpointError('no tensor may be named __metadata__')
    const dtype = formatName(array.dtype)
    const begin = at
    at += array.bytes.byteLength
    return [name, { dtype, shape: array.shape, data_offsets: [begin, at] }] as const
  })
  const about = Object.keys(metadata).length > 0 ? [['__metadata__', metadata] as const] : []
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...about, ...described])))
  const length = Math.ceil(json.length / 8) * 8
  if (length > maxHeaderBytes)
    throw new CheckpointError(`the header needs ${length} bytes, the format allows ${maxHeaderBytes}`)
  const head = new Uint8Array(prefixBytes + length).fill(0x20)
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true)
  head.set(json, prefixBytes)
  return [head, ...named.map(([, array]) => array.bytes)]
}

/** A safetensors file of arrays by name, and texts about them. @throws CheckpointError as `safetensorsParts` does. */
export function encodeSafetensors(
  tensors: NamedArrays,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const parts = safetensorsParts(tensors, metadata)
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    file.set(part, at)
    at += part.length
  }
  return file
}

/**
 * The arrays of a safetensors file. They share its memory where their elements are aligned. What is taken besides is bounded by the file's size.
 * @throws CheckpointError for anything that the format does not allow: the header over 100 MB or not JSON, an unknown dtype,
 * offsets that overlap, leave holes or do not end where the file does, a bool that is neither 0 nor 1.
 */
export function decodeSafetensors(file: Uint8Array): Safetensors {
  const begin = prefixBytes + headerLength(file)
  if (begin > file.length)
    throw new CheckpointError(`truncated: the header should end at byte ${begin}, the file at ${file.length}`)
  const { entries, metadata, dataBytes } = parseHeader(file.subarray(prefixBytes, begin))
  if (begin + dataBytes !== file.length)
    throw new CheckpointError(
      `the file should have ${begin + dataBytes} bytes and has ${file.length}: truncated, or damaged`,
    )
  const tensors = new Map(
    entries.map((entry) => [
      entry.name,
      arrayOf(entry, file.subarray(begin + entry.begin, begin + entry.end)),
    ]),
  )
  return { tensors, metadata }
}

function arrayOf({ name, dtype, shape }: TensorEntry, bytes: Uint8Array): NDArray {
  if (dtype === 'bool' && bytes.some((byte) => byte > 1))
    throw new CheckpointError(`tensor '${name}' holds a bool that is neither 0 nor 1`)
  return fromBytes(dtype, shape, bytes)
}
