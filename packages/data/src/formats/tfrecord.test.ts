import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { crc32, crc32c } from '../crc.ts'
import type { Example } from './example.ts'
import { decodeExample, encodeExample } from './example.ts'
import { frameTFRecord, readTFRecords, writeTFRecords } from './tfrecord.ts'

const ascii = (text: string) => new TextEncoder().encode(text)
async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const bytes: number[] = []
  for await (const chunk of chunks) bytes.push(...chunk)
  return Uint8Array.from(bytes)
}

describe('checksums', () => {
  it('are those of RFC 3720 and of the usual check string', () => {
    expect(crc32c(ascii('123456789'))).toBe(0xe3069283)
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43)
    expect(crc32(ascii('123456789'))).toBe(0xcbf43926)
  })
})

describe('TFRecord', () => {
  it('frames a record as TensorFlow does', () => {
    // Event files, whose first record has 24 bytes, begin with these twelve.
    expect([...frameTFRecord(new Uint8Array(24)).subarray(0, 12)]).toEqual([
      24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22,
    ])
  })

  it('gives back records, also packed and in small chunks', async () => {
    const records = ['', 'a', 'bc'.repeat(500)].map(ascii)
    const bytes = await joined(writeTFRecords(records))
    expect(await readTFRecords(bytes).toArray()).toEqual(records)
    expect(await readTFRecords(gzipSync(bytes), { compression: 'gzip' }).toArray()).toEqual(records)
    const small = {
      name: 'small',
      async *open() {
        for (const byte of bytes) yield Uint8Array.of(byte)
      },
    }
    const dataset = readTFRecords(small)
    expect(await dataset.toArray()).toEqual(records)
    expect(await dataset.skip(1).toArray()).toEqual(records.slice(1))
  })

  it('reads web streams', async () => {
    const body = () => new Blob([frameTFRecord(ascii('a')) as Uint8Array<ArrayBuffer>]).stream()
    expect(await readTFRecords(body()).toArray()).toEqual([ascii('a')])
    const again = readTFRecords({ name: 'blob', open: async () => body() })
    expect(await again.repeat(2).toArray()).toHaveLength(2)
  })

  it('reads a bare stream once', async () => {
    const dataset = readTFRecords(writeTFRecords([ascii('a')]))
    expect(await dataset.toArray()).toHaveLength(1)
    await expect(dataset.toArray()).rejects.toThrow('read before')
  })

  it('says which record is wrong', async () => {
    const [first, second] = [frameTFRecord(ascii('first')), frameTFRecord(ascii('second'))]
    const both = new Uint8Array([...first, ...second])
    const changed = (at: number) => both.map((byte, i) => (i === at ? byte ^ 1 : byte))
    await expect(readTFRecords(changed(first.length)).toArray()).rejects.toThrow(
      `byte ${first.length}: corrupt record: the checksum of its length`,
    )
    await expect(readTFRecords(changed(first.length + 12)).toArray()).rejects.toThrow(
      'the checksum of its bytes',
    )
    await expect(readTFRecords(both.subarray(0, -1)).toArray()).rejects.toThrow('truncated')
    await expect(readTFRecords(both, { maxRecordBytes: 5 }).toArray()).rejects.toThrow('a record of 6 bytes')
  })
})

describe('tf.train.Example', () => {
  // Written by hand from the message definitions: { "i": int64 [-1, 300], "f": float [0.5], "b": bytes ["x", ""] }
  const entry = (name: string, feature: number[]) => {
    const body = [0x0a, 1, name.charCodeAt(0), 0x12, feature.length, ...feature]
    return [0x0a, body.length, ...body]
  }
  const features = [
    ...entry('i', [0x1a, 14, 0x0a, 12, ...new Array<number>(9).fill(255), 1, 0xac, 2]),
    ...entry('f', [0x12, 6, 0x0a, 4, 0, 0, 0, 0x3f]),
    ...entry('b', [0x0a, 5, 0x0a, 1, 0x78, 0x0a, 0]),
  ]
  const bytes = Uint8Array.of(0x0a, features.length, ...features)
  const example: Example = new Map([
    ['i', { kind: 'int64', values: BigInt64Array.of(-1n, 300n) }],
    ['f', { kind: 'float', values: Float32Array.of(0.5) }],
    ['b', { kind: 'bytes', values: [ascii('x'), ascii('')] }],
  ])

  it('is read and written as its definition says', () => {
    expect(decodeExample(bytes)).toEqual(example)
    expect(encodeExample(example)).toEqual(bytes)
  })

  it('reads lists that are not packed, and passes over unknown fields', () => {
    const loose = [
      ...entry('i', [0x1a, 5, 0x08, 7, 0x08, 0xac, 2]),
      ...entry('f', [0x12, 5, 0x0d, 0, 0, 0x80, 0x3f]),
    ]
    const decoded = decodeExample(Uint8Array.of(0x78, 1, 0x0a, loose.length, ...loose))
    expect(decoded.get('i')?.values).toEqual(BigInt64Array.of(7n, 300n))
    expect(decoded.get('f')?.values).toEqual(Float32Array.of(1))
  })

  it('keeps empty lists and the extremes of int64', () => {
    const odd: Example = new Map([
      ['none', { kind: 'float', values: new Float32Array(0) }],
      ['ends', { kind: 'int64', values: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) }],
    ])
    expect(decodeExample(encodeExample(odd))).toEqual(odd)
  })
})
