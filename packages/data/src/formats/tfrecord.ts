// TFRecord: records one after the other, each with its length and checksums of both the length and the bytes.
import { crc32c } from '../crc.ts'
import { ByteReader } from '../byteReader.ts'
import { Dataset } from '../dataset.ts'
import type { ByteSource } from '../source.ts'

/** How to read TFRecords. */
export interface TFRecordOptions {
  /** `none` when left out: the first bytes of a record can look like gzip, so that guessing is not safe. */
  readonly compression?: 'gzip' | 'none'
  /** The longest record that is accepted; 256 MiB when left out. */
  readonly maxRecordBytes?: number
}

/** TensorFlow stores checksums rotated and shifted, so that the checksum of data that holds checksums stays useful. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** The records of a TFRecord file. Iterating throws DataError when one is truncated, corrupt or too long. */
export function readTFRecords(source: ByteSource, options: TFRecordOptions = {}): Dataset<Uint8Array> {
  return Dataset.from(() => records(source, options))
}

async function* records(
  source: ByteSource,
  { compression = 'none', maxRecordBytes = 2 ** 28 }: TFRecordOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new ByteReader(source, compression)
  try {
    while (!(await reader.atEnd())) {
      const begin = reader.offset
      const header = await reader.read(12, 'the header of a record')
      const view = new DataView(header.buffer, header.byteOffset)
      if (view.getUint32(8, true) !== maskedCrc32c(header.subarray(0, 8)))
        throw reader.error('corrupt record: the checksum of its length is wrong', begin)
      const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true)
      if (length > maxRecordBytes)
        throw reader.error(
          `a record of ${length} bytes is longer than maxRecordBytes, ${maxRecordBytes}`,
          begin,
        )
      const body = await reader.read(length + 4, 'a record')
      const record = body.subarray(0, length)
      const checksum = new DataView(body.buffer, body.byteOffset).getUint32(length, true)
      if (checksum !== maskedCrc32c(record))
        throw reader.error('corrupt record: the checksum of its bytes is wrong', begin)
      yield record
    }
  } finally {
    await reader.close()
  }
}

/** One record as it stands in a file. */
export function frameTFRecord(record: Uint8Array): Uint8Array {
  const frame = new Uint8Array(record.length + 16)
  const view = new DataView(frame.buffer)
  view.setBigUint64(0, BigInt(record.length), true)
  view.setUint32(8, maskedCrc32c(frame.subarray(0, 8)), true)
  frame.set(record, 12)
  view.setUint32(12 + record.length, maskedCrc32c(record), true)
  return frame
}

/** The chunks of a TFRecord file, one a record. */
export async function* writeTFRecords(
  records: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const record of records) yield frameTFRecord(record)
}
