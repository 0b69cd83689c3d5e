// Damaged files of every format: a reader may succeed or throw DataError, nothing else, and never takes memory on a header's word.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { ndarray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { DataError } from './errors.ts'
import { csvRows, readCsv } from './formats/csv.ts'
import { decodeExample, encodeExample } from './formats/example.ts'
import { readIdx, writeIdx } from './formats/idx.ts'
import { readNpy, writeNpy } from './formats/npy.ts'
import { readNpz, writeNpz } from './formats/npz.ts'
import { readLines } from './formats/text.ts'
import { frameTFRecord, readTFRecords } from './formats/tfrecord.ts'
import { Random } from './random.ts'

type Read = (bytes: Uint8Array) => unknown

const floats = ndarray([
  [1, 2, 3],
  [4, 5, 6],
])
const text = new TextEncoder().encode('id,name,"no,te"\n1,"a ""b""",x\n2.5,c,"two\nlines"\n\n3,ä,\n')
const example = encodeExample(
  new Map([
    ['f', { kind: 'float', values: Float32Array.of(1, 2) }],
    ['i', { kind: 'int64', values: BigInt64Array.of(-1n, 2n ** 60n) }],
    ['b', { kind: 'bytes', values: [text] }],
  ]),
)
const numpy = (name: string) => new Uint8Array(readFileSync(new URL(`../testdata/${name}`, import.meta.url)))
const tfrecord = new Uint8Array([...frameTFRecord(example), ...frameTFRecord(text)])

const formats: [string, Uint8Array, Read][] = [
  ['idx', writeIdx(floats), (bytes) => readIdx(bytes)],
  ['idx in gzip', gzipSync(writeIdx(floats)), (bytes) => readIdx(bytes)],
  ['npy', writeNpy(floats), (bytes) => readNpy(bytes)],
  ['npy version 3', numpy('numpy-v3.npy'), (bytes) => readNpy(bytes)],
  ['npz', writeNpz({ x: floats, y: ndarray([true]) }), (bytes) => readNpz(bytes)],
  ['packed npz', numpy('numpy-big-fortran.npz'), (bytes) => readNpz(bytes)],
  ['TFRecord', tfrecord, (bytes) => readTFRecords(bytes).toArray()],
  [
    'TFRecord in gzip',
    gzipSync(tfrecord),
    (bytes) => readTFRecords(bytes, { compression: 'gzip' }).toArray(),
  ],
  ['Example', example, (bytes) => decodeExample(bytes)],
  [
    'csv rows',
    text,
    (bytes) => csvRows(bytes, { comment: '#', columns: { id: 'float32', name: 'string' } }).toArray(),
  ],
  ['csv columns', text, (bytes) => readCsv(bytes)],
  ['lines in gzip', gzipSync(text), (bytes) => readLines(bytes).toArray()],
]

/** Changes, cuts, doubles or overwrites a few places; extreme bytes are likelier, for they make extreme sizes. */
function damaged(file: Uint8Array, random: Random): Uint8Array {
  let bytes = Array.from(file)
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(bytes.length + 1)
    const byte = [0, 255, 127, 128, random.below(256)][random.below(5)]!
    const kind = random.below(6)
    if (kind === 0) bytes = bytes.slice(0, at)
    else if (kind === 1) bytes.splice(at, 1 + random.below(8))
    else if (kind === 2) bytes.splice(at, 0, ...bytes.slice(at, at + 1 + random.below(16)))
    else if (kind === 3) bytes.fill(byte, at, at + 1 + random.below(8))
    else bytes[Math.min(at, Math.max(0, bytes.length - 1))] = byte
  }
  return Uint8Array.from(bytes)
}

async function survives(read: Read, bytes: Uint8Array): Promise<'read' | 'refused'> {
  const before = process.memoryUsage().arrayBuffers
  try {
    await read(bytes)
    return 'read'
  } catch (error) {
    if (!(error instanceof DataError))
      throw new Error(`not a DataError for ${Buffer.from(bytes).toString('hex')}`, { cause: error })
    return 'refused'
  } finally {
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20)
  }
}

describe('damaged files', () => {
  it.each(formats)('%s: every truncation', async (_, file, read) => {
    expect(await survives(read, file)).toBe('read')
    for (let length = 0; length < file.length; length += file.length > 500 ? 7 : 1)
      await survives(read, file.subarray(0, length))
  })

  it.each(formats)('%s: 400 mutations', async (name, file, read) => {
    const random = new Random(20_261, name.length, file.length)
    const seen = { read: 0, refused: 0 }
    for (let i = 0; i < 400; i++) seen[await survives(read, damaged(file, random))]++
    expect(seen.refused).toBeGreaterThan(0)
  })

  it.each(formats)('%s: 100 files of noise', async (name, _, read) => {
    const random = new Random(7, name.length)
    const outcomes = new Set<string>()
    for (let i = 0; i < 100; i++) {
      const noise = Uint8Array.from({ length: random.below(200) }, () => random.below(256))
      outcomes.add(await survives(read, noise))
    }
    expect(outcomes).toContain('refused')
  })

  it('sizes that only a header claims are refused before memory is taken', async () => {
    const huge = Uint8Array.of(0, 0, 8, 2, 0x7f, 255, 255, 255, 0, 0, 0, 1)
    expect(await survives((bytes) => readIdx(bytes, { maxBytes: 2 ** 40 }), huge)).toBe('refused')
    const zip = writeNpz({ x: floats }, { compress: true })
    const directory = zip.findLastIndex(
      (_, i) => zip[i] === 0x50 && zip[i + 1] === 0x4b && zip[i + 2] === 1 && zip[i + 3] === 2,
    )
    const lie = zip.slice()
    new DataView(lie.buffer).setUint32(directory + 24, 2 ** 30, true)
    expect(await survives(readNpz, lie)).toBe('refused')
    const header = frameTFRecord(new Uint8Array(0)).slice(0, 12)
    new DataView(header.buffer).setBigUint64(0, 2n ** 27n, true)
    expect(await survives((bytes) => readTFRecords(bytes).toArray(), header)).toBe('refused')
  })
})
