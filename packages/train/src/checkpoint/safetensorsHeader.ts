// The header of a safetensors file: which tensors lie where, checked so that whoever has one may trust it.
//
// A file is 8 bytes (little-endian) with the length of the header, the header in JSON, and the data. The header gives each tensor its
// dtype, its shape and its bytes [begin, end) within the data; tensors cover the data without holes or overlaps.
import type { DType } from '@shoal/core'
import { dtypes } from '@shoal/core'
import { CheckpointError } from './errors.ts'

/** Where a tensor lies. */
export interface TensorEntry {
  readonly name: string
  readonly dtype: Exclude<DType, 'string'>
  readonly shape: readonly number[]
  /** Bytes from the start of the data. */
  readonly begin: number
  readonly end: number
}

/** What a header says. */
export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly entries: readonly TensorEntry[]
  readonly metadata: Readonly<Record<string, string>>
  /** Bytes of data that follow the header. */
  readonly dataBytes: number
}

/** The longest header that is read, in bytes: the limit of the format's own reader. */
export const maxHeaderBytes = 100_000_000

/** Bytes before the header. */
export const prefixBytes = 8

const names = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U8: 'uint8',
  U32: 'uint32',
  BOOL: 'bool',
} as const satisfies Record<string, DType>
type FormatName = keyof typeof names

/** The name that the format has for a dtype. @throws CheckpointError for strings. */
export function formatName(dtype: DType): FormatName {
  const found = (Object.keys(names) as FormatName[]).find((name) => names[name] === dtype)
  if (!found) throw new CheckpointError(`safetensors cannot hold ${dtype}`)
  return found
}

/** The length of the header, from the first 8 bytes of a file. @throws CheckpointError when there are fewer or it is out of range. */
export function headerLength(prefix: Uint8Array): number {
  if (prefix.length < prefixBytes)
    throw new CheckpointError(`truncated: ${prefix.length} bytes are no safetensors file`)
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true)
  if (length > BigInt(maxHeaderBytes))
    throw new CheckpointError(
      `a header of ${length} bytes is longer than ${maxHeaderBytes}: no safetensors file, or a damaged one`,
    )
  return Number(length)
}

/** A header from its bytes of JSON. @throws CheckpointError when anything in it is not as the format wants it. */
export function parseHeader(bytes: Uint8Array): SafetensorsHeader {
  const json = parseJson(bytes)
  const { __metadata__: metadata, ...tensors } = json
  const entries = Object.entries(tensors).map(([name, value]) => parseEntry(name, value))
  // Empty tensors come before others that begin where they lie.
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let at = 0
  for (const { name, begin, end } of entries) {
    if (begin !== at)
      throw new CheckpointError(`tensor '${name}' begins at ${begin}, the one before it ends at ${at}`)
    at = end
  }
  return { entries, metadata: parseMetadata(metadata), dataBytes: at }
}

function parseJson(bytes: Uint8Array): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isRecord(json)) return json
  } catch (cause) {
    throw new CheckpointError('the header is not JSON', { cause })
  }
  throw new CheckpointError('the header is not a JSON object')
}

function parseEntry(name: string, value: unknown): TensorEntry {
  const bad = (why: string): CheckpointError => new CheckpointError(`tensor '${name}' ${why}`)
  if (!isRecord(value)) throw bad('has no description')
  const { dtype: dtypeName, shape, data_offsets: offsets } = value
  if (typeof dtypeName !== 'string' || !Object.hasOwn(names, dtypeName))
    throw bad(`has dtype ${String(dtypeName)}, which is not known`)
  if (!isSizes(shape)) throw bad('has no shape')
  if (!isSizes(offsets) || offsets.length !== 2) throw bad('has no data_offsets')
  const dtype = names[dtypeName as FormatName]
  const [begin, end] = offsets as [number, number]
  const bytes = shape.reduce((product, size) => product * size, dtypes[dtype].bytes)
  if (!Number.isSafeInteger(bytes) || end - begin !== bytes)
    throw bad(
      `needs ${bytes} bytes for ${dtypeName} [${shape.join(', ')}] and has those from ${begin} to ${end}`,
    )
  return { name, dtype, shape, begin, end }
}

function parseMetadata(metadata: unknown): Readonly<Record<string, string>> {
  if (metadata === undefined) return {}
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string'))
    throw new CheckpointError('the metadata are not texts by name')
  return metadata as Record<string, string>
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isSizes = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)
