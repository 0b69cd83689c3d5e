// Blobs that are put, read, broken off, damaged, kept, dropped, and have no room.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NotFoundError, ValueError } from '@shoal/core'
import { afterEach, describe, expect, it } from 'vitest'
import { seededBytes } from '../testing/seededBytes.ts'
import { temporaryFolder } from '../testing/temporaryFolder.ts'
import { BlobStore, type BlobStoreOptions } from './blobStore.ts'
import { type Disk, systemDisk } from './disk.ts'
import { CorruptBlobError, StorageFullError } from './errors.ts'
import { hashOf } from './hash.ts'

const root = temporaryFolder()
let folders = 0
const open: BlobStore[] = []
afterEach(async () => {
  for (const store of open.splice(0)) await store[Symbol.asyncDispose]()
})

/** A store, with a clock that a test moves and a disk that a test fills. */
async function opened(options: Partial<BlobStoreOptions> = {}) {
  const said: string[] = []
  const folder = options.folder ?? join(root, String(folders++))
  const store = await BlobStore.open({
    folder,
    maxBytes: 1e9,
    minFreeBytes: 0,
    log: (line) => said.push(line),
    ...options,
  })
  open.push(store)
  return { store, folder, said }
}

const bytesOf = seededBytes(3)
const fileOf = (folder: string, hash: string): string => join(folder, hash.slice(0, 2), hash.slice(2))

async function inPieces(store: BlobStore, blob: Uint8Array, length: number, from = 0): Promise<number> {
  const hash = hashOf(blob)
  let offset = from
  while (offset < blob.length)
    offset = await store.append({
      hash,
      bytes: blob.length,
      offset,
      piece: blob.subarray(offset, offset + length),
    })
  return offset
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  bytes[at]! ^= 4
  writeFileSync(file, bytes)
}

/** Every file below a folder, but for the list of what is kept. */
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'kept.jsonl')
    .map(({ name }) => name)

describe('a store of blobs', () => {
  it('gives back what was put, by its hash', async () => {
    const { store, folder } = await opened()
    for (const length of [0, 1, 70_000, 2 ** 20, 2 ** 21 + 5]) {
      const blob = bytesOf(length)
      const hash = await store.put(blob)
      expect(hash).toBe(hashOf(blob))
      expect(store.has(hash)).toBe(true)
      expect(store.size(hash)).toBe(length)
      expect(Buffer.compare(await store.get(hash), blob)).toBe(0)
      const half = Math.floor(length / 2)
      expect(Buffer.compare(await store.read(hash, half, 1000), blob.subarray(half, half + 1000))).toBe(0)
      expect(statSync(fileOf(folder, hash)).mode & 0o777).toBe(0o600)
    }
    expect(store.count).toBe(5)
    await store.put(new Uint8Array(0))
    expect(store.count).toBe(5)
  })

  it('says what is not there, and what a blob does not have', async () => {
    const { store } = await opened()
    const hash = hashOf(bytesOf(3))
    expect(store.has(hash)).toBe(false)
    expect(store.size(hash)).toBeUndefined()
    await expect(store.get(hash)).rejects.toThrow(NotFoundError)
    await expect(store.read(hash, 0, 1)).rejects.toThrow(NotFoundError)
    const there = await store.put(bytesOf(10))
    await expect(store.read(there, 11, 1)).rejects.toThrow(ValueError)
    expect(await store.read(there, 10, 1)).toHaveLength(0)
  })

  it('takes a blob in pieces, in their order only, and has it when it is whole', async () => {
    const { store, folder } = await opened()
    const blob = bytesOf(1000)
    const hash = hashOf(blob)
    const piece = (offset: number, length: number) =>
      store.append({ hash, bytes: 1000, offset, piece: blob.subarray(offset, offset + length) })
    expect(await store.begin(hash, 1000)).toBe(0)
    expect(await piece(0, 400)).toBe(400)
    expect(await piece(0, 400)).toBe(400)
    expect(await piece(500, 100)).toBe(400)
    expect(store.has(hash)).toBe(false)
    await expect(store.get(hash)).rejects.toThrow(NotFoundError)
    await expect(store.append({ hash, bytes: 1000, offset: 400, piece: bytesOf(601) })).rejects.toThrow(
      ValueError,
    )
    expect(await store.begin(hash, 1000)).toBe(400)
    expect(await piece(400, 600)).toBe(1000)
    expect(await store.get(hash)).toEqual(blob)
    expect(await piece(0, 10)).toBe(1000)
    expect(await store.begin(hash, 1000)).toBe(1000)
    expect(filesIn(folder)).toEqual([hash.slice(2)])
  })

  it('takes an empty blob', async () => {
    const { store } = await opened()
    const hash = hashOf(new Uint8Array(0))
    expect(await store.begin(hash, 0)).toBe(0)
    expect(await store.append({ hash, bytes: 0, offset: 0, piece: new Uint8Array(0) })).toBe(0)
    expect(await store.get(hash)).toHaveLength(0)
  })

  it('goes on where it was after a restart', async () => {
    const { store, folder } = await opened()
    const blob = bytesOf(5000)
    const hash = hashOf(blob)
    await inPieces(store, blob.subarray(0, 3000), 1000).catch(() => {})
    await store.append({ hash, bytes: 5000, offset: 0, piece: blob.subarray(0, 1500) })
    const { store: again } = await opened({ folder })
    expect(await again.begin(hash, 5000)).toBe(1500)
    expect(await inPieces(again, blob, 1000, 1500)).toBe(5000)
    expect(await again.get(hash)).toEqual(blob)
  })

  it('has a blob whose last piece came just before the process died', async () => {
    const { store, folder } = await opened()
    const blob = bytesOf(100)
    const hash = await store.put(blob)
    const { store: again } = await opened({ folder: join(root, String(folders++)) })
    await again.append({ hash, bytes: 100, offset: 0, piece: blob.subarray(0, 50) })
    // The whole of it lies under the name of its beginning.
    const other = join(root, String(folders - 1))
    writeFileSync(`${fileOf(other, hash)}.part`, readFileSync(fileOf(folder, hash)))
    const { store: third } = await opened({ folder: other })
    expect(await third.begin(hash, 100)).toBe(100)
    expect(await third.get(hash)).toEqual(blob)
  })

  it('drops pieces that make another blob, whoever brought the wrong one', async () => {
    const { store, folder } = await opened()
    const blob = bytesOf(2000)
    const hash = hashOf(blob)
    const wrong = blob.slice(0, 1000)
    wrong[5]! ^= 1
    await store.append({ hash, bytes: 2000, offset: 0, piece: wrong })
    const last = { hash, bytes: 2000, offset: 1000, piece: blob.subarray(1000) }
    await expect(store.append(last)).rejects.toThrow(CorruptBlobError)
    expect(store.has(hash)).toBe(false)
    expect(filesIn(folder)).toEqual([])
    expect(await store.begin(hash, 2000)).toBe(0)
    expect(await inPieces(store, blob, 700)).toBe(2000)
    expect(await store.get(hash)).toEqual(blob)
  })

  it.each<[string, (part: string) => void]>([
    ['has changed', (part) => flip(part, 100)],
    ['was cut', (part) => writeFileSync(part, '')],
    ['is gone', (part) => rmSync(part)],
  ])('begins anew where a beginning %s', async (_, harm) => {
    const { store, folder } = await opened()
    const blob = bytesOf(3000)
    const hash = hashOf(blob)
    await store.append({ hash, bytes: 3000, offset: 0, piece: blob.subarray(0, 2000) })
    const { store: again } = await opened({ folder })
    harm(`${fileOf(folder, hash)}.part`)
    expect(await again.begin(hash, 3000)).toBe(2000)
    await expect(inPieces(again, blob, 1000, 2000)).rejects.toThrow(CorruptBlobError)
    expect(await inPieces(again, blob, 1000)).toBe(3000)
    expect(await again.get(hash)).toEqual(blob)
  })

  it('begins anew where a beginning is longer than the blob', async () => {
    const { store, folder } = await opened()
    const blob = bytesOf(3000)
    const hash = hashOf(blob)
    await store.append({ hash, bytes: 4000, offset: 0, piece: bytesOf(3500) })
    const { store: again } = await opened({ folder })
    expect(await again.begin(hash, 3000)).toBe(0)
    expect(await inPieces(again, blob, 1000)).toBe(3000)
  })

  it('lets several bring the same blob at once, and writes it once', async () => {
    let written = 0
    const disk: Disk = {
      ...systemDisk,
      async write(file, bytes, position) {
        written += bytes.length
        await systemDisk.write(file, bytes, position)
      },
    }
    const { store } = await opened({ disk })
    const blob = bytesOf(10_000)
    const head = written
    await Promise.all([
      inPieces(store, blob, 1000),
      inPieces(store, blob, 700),
      inPieces(store, blob, 333),
      store.put(blob),
    ])
    expect(await store.get(hashOf(blob))).toEqual(blob)
    expect(store.bytes).toBe(10_000)
    // What was put at last may have been written beside the pieces, but once.
    expect(written - head).toBeLessThanOrEqual(20_000)
  })

  it('removes old beginnings and drafts when it starts, and keeps young ones', async () => {
    const { store, folder } = await opened()
    const [old, young] = [bytesOf(100), bytesOf(101)]
    for (const blob of [old, young])
      await store.append({ hash: hashOf(blob), bytes: blob.length, offset: 0, piece: blob.subarray(0, 50) })
    const month = Date.now() / 1000 - 30 * 86_400
    utimesSync(`${fileOf(folder, hashOf(old))}.part`, month, month)
    writeFileSync(`${fileOf(folder, hashOf(old))}.draft`, 'half of it')
    const { store: again } = await opened({ folder })
    expect(filesIn(folder)).toEqual([`${hashOf(young).slice(2)}.part`])
    expect(again.bytes).toBe(50)
  })
})

describe('damage on the disk', () => {
  it('is found when a blob is read, whole or in pieces, and the blob is there no more', async () => {
    for (const read of ['get', 'read'] as const) {
      const { store, folder, said } = await opened()
      const blob = bytesOf(5000)
      const hash = await store.put(blob)
      flip(fileOf(folder, hash), 4000)
      const reading = read === 'get' ? store.get(hash) : store.read(hash, 0, 10)
      await expect(reading).rejects.toThrow(CorruptBlobError)
      expect(said).toEqual([expect.stringContaining('was damaged on the disk of this node')])
      expect(store.has(hash)).toBe(false)
      expect(existsSync(fileOf(folder, hash))).toBe(false)
      await store.put(blob)
      expect(await store.get(hash)).toEqual(blob)
    }
  })

  it('is a file that is too short or gone, too', async () => {
    for (const harm of ['short', 'gone']) {
      const { store, folder } = await opened()
      const hash = await store.put(bytesOf(5000))
      const { store: again } = await opened({ folder })
      if (harm === 'short') writeFileSync(fileOf(folder, hash), 'short')
      else
        await store
          .put(bytesOf(1))
          .then(() => import('node:fs/promises'))
          .then(({ rm }) => rm(fileOf(folder, hash)))
      await expect(again.read(hash, 0, 5000)).rejects.toThrow(CorruptBlobError)
      expect(again.has(hash)).toBe(false)
    }
  })

  it('is looked for once before pieces are read, and again when that is long ago', async () => {
    let now = Date.now()
    const { store, folder } = await opened({ now: () => now })
    const hash = await store.put(bytesOf(5000))
    await store.read(hash, 0, 10)
    flip(fileOf(folder, hash), 4000)
    await Promise.all([store.read(hash, 0, 10), store.read(hash, 10, 10)])
    now += 3_600_000
    const both = await Promise.allSettled([store.read(hash, 0, 10), store.read(hash, 10, 10)])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })
})

describe('room', () => {
  it('is made by dropping what was not used for the longest time', async () => {
    let now = 1e12
    const { store, folder, said } = await opened({ maxBytes: 3000, now: () => now++ })
    const [a, b, c] = [
      await store.put(bytesOf(1000)),
      await store.put(bytesOf(1000)),
      await store.put(bytesOf(1000)),
    ]
    await store.get(a)
    const d = await store.put(bytesOf(1500))
    expect([a, b, c, d].map((hash) => store.has(hash))).toEqual([true, false, false, true])
    expect(filesIn(folder)).toHaveLength(2)
    expect(store.bytes).toBe(2500)
    expect(said).toEqual(['2 blobs were dropped to make room for 1500 bytes'])
  })

  it('remembers over a restart when blobs were used', async () => {
    let now = Date.now()
    const { store, folder } = await opened({ maxBytes: 3000, now: () => now })
    const hashes: string[] = []
    for (let i = 0; i < 3; i++) hashes.push(await store.put(bytesOf(1000)))
    for (const hash of hashes.toReversed()) {
      now += 120_000
      await store.get(hash)
    }
    const { store: again } = await opened({ folder, maxBytes: 3000, now: () => now })
    await again.put(bytesOf(1000))
    expect(hashes.map((hash) => again.has(hash))).toEqual([true, true, false])
  })

  it('is never made of what is kept, also after a restart', async () => {
    const { store, folder } = await opened({ maxBytes: 3000 })
    const kept = await store.put(bytesOf(1000), 'j-aaaaaaaaaaaa')
    await store.keep(kept, 'j-bbbbbbbbbbbb')
    const free = await store.put(bytesOf(1000))
    const { store: again } = await opened({ folder, maxBytes: 3000 })
    expect(again.isKept(kept)).toBe(true)
    await again.release('j-aaaaaaaaaaaa')
    await again.release('nobody')
    await again.put(bytesOf(2000))
    expect([again.has(kept), again.has(free)]).toEqual([true, false])
    const failed = again.put(bytesOf(2001))
    await expect(failed).rejects.toThrow(StorageFullError)
    await expect(failed).rejects.toMatchObject({ neededBytes: 2001, freeBytes: 2000 })
    await expect(failed).rejects.toThrow(
      /no room for 2001 bytes: blobs may take 3000 .* all but 2000 are kept for jobs/,
    )
    // Nothing was dropped in vain.
    expect(again.count).toBe(2)
    await again.release('j-bbbbbbbbbbbb')
    const { store: third } = await opened({ folder, maxBytes: 3000 })
    expect(third.isKept(kept)).toBe(false)
    await third.put(bytesOf(3000))
    expect(third.count).toBe(1)
  })

  it('leaves to others what is to stay free of the disk', async () => {
    let free = 5000
    const disk: Disk = { ...systemDisk, free: async () => free }
    const { store } = await opened({ disk, minFreeBytes: 1000 })
    const first = await store.put(bytesOf(3000))
    free = 2000
    const failed = store.put(bytesOf(4001))
    await expect(failed).rejects.toThrow(/has 4000 for them, if 1000 are to stay free for others/)
    expect(store.has(first)).toBe(true)
    const second = await store.put(bytesOf(4000))
    expect([store.has(first), store.has(second)]).toEqual([false, true])
    expect(await store.begin(hashOf(bytesOf(1)), 5001).catch((error: unknown) => error)).toBeInstanceOf(
      StorageFullError,
    )
  })

  it('is not made of a beginning that may still grow', async () => {
    let now = Date.now()
    const { store } = await opened({ maxBytes: 3000, now: () => now })
    const blob = bytesOf(2000)
    await store.append({ hash: hashOf(blob), bytes: 2000, offset: 0, piece: blob.subarray(0, 1500) })
    await expect(store.put(bytesOf(2000))).rejects.toThrow(StorageFullError)
    now += 3_600_000
    await store.put(bytesOf(2000))
    expect(await store.begin(hashOf(blob), 2000).catch(() => 'full')).toBe(0)
  })

  it('is given to several at once without being given twice', async () => {
    const { store } = await opened({ maxBytes: 10_000 })
    const blobs = Array.from({ length: 15 }, () => bytesOf(1000))
    const done = await Promise.allSettled(blobs.map((blob) => store.put(blob, 'job')))
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    expect(store.bytes).toBe(10_000)
  })

  it('that turns out not to be there breaks nothing', async () => {
    let room = Infinity
    const disk: Disk = {
      ...systemDisk,
      async write(file, bytes, position) {
        const part = bytes.subarray(0, room)
        await systemDisk.write(file, part, position)
        room -= part.length
        if (part.length < bytes.length) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
      },
    }
    const { store, folder } = await opened({ disk })
    const blob = bytesOf(4000)
    const hash = hashOf(blob)
    room = 2500
    await expect(store.put(blob)).rejects.toThrow(/was full when 4000 bytes were to be written/)
    expect(filesIn(folder)).toEqual([])
    room = 2500
    await expect(inPieces(store, blob, 1000)).rejects.toThrow(StorageFullError)
    expect(await store.begin(hash, 4000)).toBe(2000)
    await expect(store.keep(hash, 'job')).rejects.toThrow(StorageFullError)
    room = Infinity
    expect(await inPieces(store, blob, 1000, 2000)).toBe(4000)
    expect(await store.get(hash)).toEqual(blob)
    expect(store.bytes).toBe(4000)
  })

  it('is got by releasing, even where the disk is so full that this cannot be written', async () => {
    let full = false
    const disk: Disk = {
      ...systemDisk,
      async write(...to) {
        if (full) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
        await systemDisk.write(...to)
      },
    }
    const { store, said } = await opened({ disk, maxBytes: 1000 })
    const hash = await store.put(bytesOf(1000), 'job')
    full = true
    await store.release('job')
    expect(store.isKept(hash)).toBe(false)
    expect(said).toEqual([expect.stringContaining("nothing is kept for 'job' any more could not be written")])
  })
})

describe('what is kept', () => {
  it('is written anew when its list has grown far beyond what it says', async () => {
    const { store, folder } = await opened({ disk: { ...systemDisk, flush: async () => {} } })
    const hash = await store.put(bytesOf(5), 'one')
    for (let i = 0; i < 600; i++) {
      await store.keep(hash, `job ${i}`)
      await store.release(`job ${i}`)
    }
    const long = statSync(join(folder, 'kept.jsonl')).size
    const { store: again } = await opened({ folder })
    expect(statSync(join(folder, 'kept.jsonl')).size).toBeLessThan(long / 100)
    expect(again.isKept(hash)).toBe(true)
    await again.keep(hash, 'two')
    await again.release('one')
    const { store: third } = await opened({ folder })
    expect(third.isKept(hash)).toBe(true)
  })
})
