// Files to shards and back: the same bytes, in little memory, and nothing from outside the folder.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ndarray, NotFoundError } from '@shoal/core'
import { readCsv, readIdx, writeIdx } from '@shoal/data'
import { describe, expect, it } from 'vitest'
import type { DatasetManifest } from '../jobs/spec.ts'
import { seededBytes } from '../testing/seededBytes.ts'
import { temporaryFolder } from '../testing/temporaryFolder.ts'
import { openDataset } from './dataset.ts'
import { DatasetError } from './errors.ts'
import { hashOf } from './hash.ts'
import { readDataset } from './readDataset.ts'

const root = temporaryFolder()
const bytesOf = seededBytes(17)
let folders = 0

/** A folder with these files. */
function folderOf(files: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = join(root, String(folders++))
  mkdirSync(folder)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  return folder
}

/** Shards in memory. */
function shelf() {
  const shards = new Map<string, Uint8Array>()
  let [most, asked] = [0, 0]
  return {
    shards,
    get asked() {
      return asked
    },
    get most() {
      return most
    },
    async put(shard: Uint8Array) {
      most = Math.max(most, shard.buffer.byteLength)
      const hash = hashOf(shard)
      shards.set(hash, shard)
      return hash
    },
    async get(hash: string) {
      asked++
      return shards.get(hash)!
    },
  }
}

describe('reading files', () => {
  it('cuts them into shards that are named by their content, by name in order', async () => {
    const [long, short] = [bytesOf(2500), bytesOf(10)]
    const folder = folderOf({ 'b/long': long, a: short, 'b/a': short, empty: '' })
    const taken = shelf()
    const manifest = await readDataset(folder, { put: taken.put, shardBytes: 1000 })
    const pieces = [long.subarray(0, 1000), long.subarray(1000, 2000), long.subarray(2000)]
    expect(manifest).toEqual({
      files: [
        { path: 'a', bytes: 10, shards: [{ hash: hashOf(short), bytes: 10 }] },
        { path: 'b/a', bytes: 10, shards: [{ hash: hashOf(short), bytes: 10 }] },
        {
          path: 'b/long',
          bytes: 2500,
          shards: pieces.map((piece) => ({ hash: hashOf(piece), bytes: piece.length })),
        },
        { path: 'empty', bytes: 0, shards: [] },
      ],
    })
    expect(taken.shards.size).toBe(4)
    expect(taken.most).toBe(1000)
  })

  it('takes a file alone, under its name', async () => {
    const folder = folderOf({ 'data.csv': 'a,b\n1,2\n' })
    const { put } = shelf()
    expect((await readDataset(join(folder, 'data.csv'), { put })).files).toEqual([
      { path: 'data.csv', bytes: 8, shards: [expect.objectContaining({ bytes: 8 })] },
    ])
    symlinkSync(join(folder, 'data.csv'), join(root, 'link.csv'))
    expect((await readDataset(join(root, 'link.csv'), { put })).files[0]!.path).toBe('link.csv')
  })

  it('follows links within the folder, and refuses those that lead out of it', async () => {
    const outside = folderOf({ secret: 'password' })
    const folder = folderOf({ 'real/a': 'A' })
    symlinkSync('real/a', join(folder, 'same'))
    symlinkSync('real', join(folder, 'again'))
    const { put } = shelf()
    const manifest = await readDataset(folder, { put })
    expect(manifest.files.map(({ path }) => path)).toEqual(['again/a', 'real/a', 'same'])
    for (const target of [join(outside, 'secret'), outside, '..', '../../../../../../../etc/passwd']) {
      const bad = folderOf({ a: 'A' })
      symlinkSync(target, join(bad, 'b'))
      const { put: never, shards } = shelf()
      await expect(readDataset(bad, { put: never }), target).rejects.toThrow(/outside of the dataset/)
      expect([...shards.values()].map((shard) => Buffer.from(shard).toString())).not.toContain('password')
    }
    // A folder whose name only begins as that of the dataset does is outside, too.
    const near = folderOf({ a: 'A' })
    mkdirSync(`${near}x`)
    symlinkSync(`${near}x`, join(near, 'b'))
    await expect(readDataset(near, { put })).rejects.toThrow(/outside of the dataset/)
  })

  it('refuses circles, pipes, links to nothing, and what is empty or not there', async () => {
    const circle = folderOf({ 'a/b/c': 'C' })
    symlinkSync('../..', join(circle, 'a/b/up'))
    await expect(readDataset(circle, shelf())).rejects.toThrow(/read for ever/)
    const self = folderOf({ a: 'A' })
    symlinkSync('self', join(self, 'self'))
    await expect(readDataset(self, shelf())).rejects.toThrow(/leads to itself/)
    const pipe = folderOf({ a: 'A' })
    execFileSync('mkfifo', [join(pipe, 'b')])
    await expect(readDataset(pipe, shelf())).rejects.toThrow(/neither a file nor a folder/)
    const dangling = folderOf({ a: 'A' })
    symlinkSync('nothing', join(dangling, 'b'))
    await expect(readDataset(dangling, shelf())).rejects.toThrow(/is not there/)
    await expect(readDataset(folderOf({}), shelf())).rejects.toThrow(/no files/)
    await expect(readDataset(join(root, 'nowhere'), shelf())).rejects.toThrow(DatasetError)
    const deep = 'd/'.repeat(100) + 'f'.repeat(250)
    await expect(readDataset(folderOf({ [`${'x'.repeat(200)}/${deep}`]: 'F' }), shelf())).rejects.toThrow(
      /too long/,
    )
  })

  it('ends when it is told to', async () => {
    const folder = folderOf({ a: bytesOf(5000) })
    const stop = new AbortController()
    const { put: take, shards } = shelf()
    const put = (shard: Uint8Array) => {
      stop.abort(new Error('enough'))
      return take(shard)
    }
    await expect(readDataset(folder, { put, shardBytes: 1000, signal: stop.signal })).rejects.toThrow(
      'enough',
    )
    expect(shards.size).toBe(1)
  })
})

describe('a dataset', () => {
  const long = bytesOf(2500)

  async function opened(files: Readonly<Record<string, Uint8Array | string>>, shardBytes = 1000) {
    const shards = shelf()
    const manifest = await readDataset(folderOf(files), { put: shards.put, shardBytes })
    return { shards, manifest, dataset: openDataset(manifest, (hash) => shards.get(hash)) }
  }

  it('has the bytes of its files, whole and as they come', async () => {
    const { dataset } = await opened({ 'b/long': long, empty: '' })
    expect(dataset.files).toEqual([
      { path: 'b/long', bytes: 2500 },
      { path: 'empty', bytes: 0 },
    ])
    expect(await dataset.read('b/long')).toEqual(long)
    expect(await dataset.read('empty')).toHaveLength(0)
    const lengths: number[] = []
    for await (const shard of dataset.stream('b/long')) lengths.push(shard.length)
    expect(lengths).toEqual([1000, 1000, 500])
  })

  it('is read by the readers of files, packed and in shards of any length, again and again', async () => {
    const images = ndarray(
      Array.from({ length: 50 }, (_, i) => [i, 2 * i, 255 - i]),
      'uint8',
    )
    const files = {
      'images.gz': gzipSync(writeIdx(images)),
      'iris.csv': readFileSync(new URL('../../../../datasets/iris.csv', import.meta.url)),
    }
    for (const shardBytes of [1, 7, 100, 1e6]) {
      const { dataset } = await opened(files, shardBytes)
      for (let time = 0; time < 2; time++) {
        const read = await readIdx(dataset.file('images.gz'))
        expect(read.shape).toEqual([50, 3])
        expect(read.data).toEqual(images.data)
      }
      expect(await readCsv(dataset.file('iris.csv'))).toEqual(
        await readCsv(new Uint8Array(files['iris.csv'])),
      )
    }
  })

  it('asks for the next shard while one is used, and for no more', async () => {
    const { dataset, shards } = await opened({ long })
    const stream = dataset.stream('long')
    expect(shards.asked).toBe(0)
    await stream.next()
    expect(shards.asked).toBe(2)
    await stream.return()
    expect(shards.asked).toBe(2)
  })

  it('says which file is not there, and which are', async () => {
    const { dataset } = await opened(Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`f${i}`, 'x'])))
    await expect(dataset.read('g')).rejects.toThrow(NotFoundError)
    expect(() => dataset.file('g')).toThrow("no file 'g'; it has 'f0', 'f1', 'f2', 'f3', 'f4' and 2 more")
  })

  it('refuses manifests that contradict themselves, and shards that contradict the manifest', async () => {
    const { manifest, shards } = await opened({ long })
    const [file] = manifest.files
    const get = (hash: string) => shards.get(hash)
    const wrong: DatasetManifest[] = [{ files: [file!, file!] }, { files: [{ ...file!, bytes: 2501 }] }]
    for (const each of wrong) expect(() => openDataset(each, get)).toThrow(DatasetError)
    shards.shards.set(file!.shards[1]!.hash, bytesOf(999))
    await expect(openDataset(manifest, get).read('long')).rejects.toThrow(
      /shard 1 of 'long' has 999 bytes.*says 1000/,
    )
  })

  it('passes on what asking for a shard throws, when its turn has come', async () => {
    const { manifest, shards } = await opened({ long })
    const bad = manifest.files[0]!.shards[1]!.hash
    const dataset = openDataset(manifest, (hash) =>
      hash === bad ? Promise.reject(new Error('gone')) : shards.get(hash),
    )
    const stream = dataset.stream('long')
    expect((await stream.next()).value).toHaveLength(1000)
    await expect(stream.next()).rejects.toThrow('gone')
  })
})
