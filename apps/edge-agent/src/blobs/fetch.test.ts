// Blobs between nodes: fetched and pushed in pieces, broken off and resumed, from nodes that lie, are silent, or die.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InProcessTransport } from '@shoal/distributed'
import { type Connection, serving } from '@shoal/distributed/peers'
import { afterEach, describe, expect, it } from 'vitest'
import * as api from '../api/blobs.ts'
import { seededBytes } from '../testing/seededBytes.ts'
import { temporaryFolder } from '../testing/temporaryFolder.ts'
import { BlobStore, type BlobStoreOptions } from './blobStore.ts'
import { BlobUnavailableError, CorruptBlobError, StorageFullError } from './errors.ts'
import { BlobFetcher } from './fetch.ts'
import { hashOf } from './hash.ts'
import { pieceTensors } from './piece.ts'
import { blobOf, missingBlobs, pushBlob, storedBlob } from './push.ts'
import { blobMethods } from './service.ts'

const root = temporaryFolder()
const bytesOf = seededBytes(11)
const { pieceBytes } = api
let folders = 0
const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]()
})

async function newStore(options: Partial<BlobStoreOptions> = {}) {
  const folder = join(root, String(folders++))
  const store = await BlobStore.open({ folder, maxBytes: 1e9, minFreeBytes: 0, log() {}, ...options })
  open.push(store)
  return store
}

type Served = ReturnType<typeof blobMethods>
/** Stands before a call that a node serves: counts it, fails it, or waits. */
type Before = (name: string) => void | Promise<void>

/** A connection to a node that serves these methods. */
async function connected(node: string, methods: Served, before: Before = () => {}): Promise<Connection> {
  const network = new InProcessTransport({ cluster: '', node: 'here', role: 'worker' })
  const there = network.as({ cluster: '', node, role: 'worker' })
  await there.listen('a', {
    connected: (connection) =>
      connection.serve((name) => {
        const handler = methods[name]
        if (!handler) return undefined
        return async (...call) => {
          await before(name)
          return handler(...call)
        }
      }),
  })
  return network.connect('a', {})
}

/** A node with blobs. */
async function node(name: string, blobs: readonly Uint8Array[], before?: Before) {
  const store = await newStore()
  for (const blob of blobs) await store.put(blob)
  return { store, connection: await connected(name, blobMethods(store), before) }
}

async function fetching(...sources: readonly Connection[]) {
  const store = await newStore()
  const said: string[] = []
  return {
    store,
    said,
    fetcher: new BlobFetcher({ store, sources: () => sources, log: (line) => said.push(line) }),
  }
}

/** A node that says it has a blob, and gives these bytes for it. */
const liar = (name: string, bytes: Uint8Array, says = bytes.length): Promise<Connection> =>
  connected(
    name,
    Object.fromEntries([
      serving(api.has, ({ says: { hashes } }) => ({ says: { bytes: hashes.map(() => says) }, tensors: [] })),
      serving(api.read, ({ says: { offset } }) => ({
        says: { bytes: says },
        tensors: pieceTensors(bytes.slice(offset, offset + pieceBytes)),
      })),
    ]),
  )

/** Fails every call of a method from the nth on. */
const failingAfter =
  (calls: number, of: string): Before =>
  (name) => {
    if (name === of && calls-- <= 0) throw new Error('the cable was pulled')
  }

const blob = bytesOf(2 * pieceBytes + 700)
const hash = hashOf(blob)
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

describe('fetching', () => {
  it('brings a blob in pieces, and nothing where it is there already', async () => {
    let reads = 0
    const { connection } = await node(
      'pi1',
      [blob, new Uint8Array(0)],
      (name) => void (reads += name === 'blobs.read' ? 1 : 0),
    )
    const { store, fetcher } = await fetching(connection)
    expect(same(await fetcher.get(hash), blob)).toBe(true)
    expect(reads).toBe(3)
    expect(fetcher.fetched).toEqual({ blobs: 1, bytes: blob.length })
    await fetcher.fetch(hash)
    expect(same(await fetcher.get(hash), blob)).toBe(true)
    expect(fetcher.fetched).toEqual({ blobs: 1, bytes: blob.length })
    expect(reads).toBe(3)
    expect(await fetcher.get(hashOf(new Uint8Array(0)))).toHaveLength(0)
    expect(store.count).toBe(2)
  })

  it('moves a blob once for all that wait for it', async () => {
    const { connection } = await node('pi1', [blob])
    const { fetcher } = await fetching(connection)
    await Promise.all(Array.from({ length: 10 }, () => fetcher.fetch(hash)))
    expect(fetcher.fetched).toEqual({ blobs: 1, bytes: blob.length })
  })

  it('goes on with another node where one breaks off, from where it was', async () => {
    const first = await node('pi1', [blob], failingAfter(1, 'blobs.read'))
    const others = Promise.withResolvers<void>()
    const second = await node('pi2', [blob], (name) => (name === 'blobs.has' ? others.promise : undefined))
    const said: string[] = []
    const log = (line: string): void => {
      said.push(line)
      others.resolve()
    }
    const sources = [first.connection, second.connection]
    const store = await newStore()
    const fetcher = new BlobFetcher({ store, sources: () => sources, log })
    await fetcher.fetch(hash)
    expect(same(await store.get(hash), blob)).toBe(true)
    expect(fetcher.fetched.bytes).toBe(blob.length)
    expect(said).toEqual([
      expect.stringMatching(/looked for elsewhere: worker 'pi1' broke off: .*the cable was pulled/),
    ])
  })

  it('goes on with what an earlier attempt has left', async () => {
    const dying = await node('pi1', [blob], failingAfter(2, 'blobs.read'))
    const well = await node('pi2', [blob])
    const sources: Connection[] = [dying.connection]
    const store = await newStore()
    const fetcher = new BlobFetcher({ store, sources: () => sources, log() {} })
    await expect(fetcher.fetch(hash)).rejects.toThrow(/no node gives the blob .*'pi1' broke off/)
    sources.push(well.connection)
    await fetcher.fetch(hash)
    expect(fetcher.fetched).toEqual({ blobs: 1, bytes: blob.length })
  })

  it('asks nodes that have come since those that it knew have failed', async () => {
    const empty = await node('pi1', [])
    const well = await node('pi2', [blob])
    const store = await newStore()
    const sources = [[empty.connection], [empty.connection, well.connection]]
    const fetcher = new BlobFetcher({ store, sources: () => sources.shift() ?? [], log() {} })
    await fetcher.fetch(hash)
    expect(store.has(hash)).toBe(true)
  })

  it('does not wait for nodes that do not answer while another one has it', async () => {
    const silent = await node('pi1', [blob], () => new Promise(() => {}))
    const well = await node('pi2', [blob])
    const { fetcher, store } = await fetching(silent.connection, well.connection)
    await fetcher.fetch(hash)
    expect(store.has(hash)).toBe(true)
  })

  it('refuses wrong bytes, and has the right ones from another node', async () => {
    const flipped = blob.slice()
    flipped[pieceBytes + 9]! ^= 1
    const well = await node('pi2', [blob])
    const wrong: readonly [Connection, number][] = [
      [await liar('flips', flipped), blob.length],
      [await liar('is short', blob.subarray(0, 100)), 100],
      [await liar('is long', bytesOf(blob.length + 5)), blob.length + 5],
      [await liar('ends early', blob.subarray(0, pieceBytes), blob.length), pieceBytes],
      [await liar('has nothing', new Uint8Array(0), 5), 0],
    ]
    for (const [bad, moved] of wrong) {
      const alone = await fetching(bad)
      await expect(alone.fetcher.fetch(hash), bad.peer.node).rejects.toThrow(BlobUnavailableError)
      expect(alone.fetcher.fetched, bad.peer.node).toEqual({ blobs: 0, bytes: moved })
      expect(alone.store.has(hash)).toBe(false)
      const both = await fetching(bad, well.connection)
      expect(same(await both.fetcher.get(hash), blob), bad.peer.node).toBe(true)
    }
  })

  it('begins anew with the same node where what was there before was wrong', async () => {
    const { connection } = await node('pi1', [blob])
    const { store, fetcher, said } = await fetching(connection)
    await store.append({ hash, bytes: blob.length, offset: 0, piece: bytesOf(pieceBytes) })
    await fetcher.fetch(hash)
    expect(same(await store.get(hash), blob)).toBe(true)
    expect(said).toEqual([])
  })

  it('has a blob again that was damaged here, and one elsewhere that was damaged there', async () => {
    const { connection } = await node('pi1', [blob])
    const { store, fetcher } = await fetching(connection)
    await fetcher.fetch(hash)
    const file = join(root, String(folders - 1), hash.slice(0, 2), hash.slice(2))
    const bytes = readFileSync(file)
    bytes[0]! ^= 1
    writeFileSync(file, bytes)
    expect(same(await fetcher.get(hash), blob)).toBe(true)
    expect(fetcher.fetched.blobs).toBe(2)

    writeFileSync(file, bytes)
    const here = await connected('here', blobMethods(store))
    const other = await fetching(here)
    await expect(other.fetcher.fetch(hash)).rejects.toThrow(/CorruptBlobError|damaged/)
    const more = await fetching(here, connection)
    expect(same(await more.fetcher.get(hash), blob)).toBe(true)
  })

  it('says who was asked, and what each said', async () => {
    const { connection } = await node('pi1', [])
    const { fetcher } = await fetching(connection)
    await expect(fetcher.fetch(hash)).rejects.toThrow(
      `no node gives the blob ${hash}: worker 'pi1' does not have it`,
    )
    const alone = await fetching()
    await expect(alone.fetcher.fetch(hash)).rejects.toThrow(/is connected to no other/)
  })

  it('does not try elsewhere what there is no room for', async () => {
    const [first, second] = [await node('pi1', [blob]), await node('pi2', [blob])]
    const store = await newStore({ maxBytes: pieceBytes })
    const sources = [first.connection, second.connection]
    const fetcher = new BlobFetcher({ store, sources: () => sources, log() {} })
    await expect(fetcher.fetch(hash)).rejects.toThrow(StorageFullError)
    expect(fetcher.fetched.bytes).toBe(0)
  })

  it('ends for who does not want it any more, and goes on for others', async () => {
    const gate = Promise.withResolvers<void>()
    const { connection } = await node('pi1', [blob], () => gate.promise)
    const { store, fetcher } = await fetching(connection)
    const [stop, other] = [new AbortController(), new AbortController()]
    const stopped = fetcher.fetch(hash, { signal: stop.signal })
    const waits = fetcher.fetch(hash, { signal: other.signal })
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
    await expect(fetcher.fetch(hash, { signal: stop.signal })).rejects.toThrow('enough')
    gate.resolve()
    await waits
    expect(store.has(hash)).toBe(true)
  })

  it('ends when nobody waits, and can begin again', async () => {
    let gate = Promise.withResolvers<void>()
    const { connection } = await node('pi1', [blob], () => gate.promise)
    const { store, fetcher } = await fetching(connection)
    const stop = new AbortController()
    const stopped = fetcher.fetch(hash, { signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
    gate.resolve()
    gate = Promise.withResolvers()
    gate.resolve()
    await fetcher.fetch(hash)
    expect(store.has(hash)).toBe(true)
    expect(fetcher.fetched).toEqual({ blobs: 1, bytes: blob.length })
  })
})

describe('pushing', () => {
  it('moves a blob that is not there, and nothing of one that is', async () => {
    const { store, connection } = await node('pi1', [])
    const source = await blobOf(blob)
    const moved: number[] = []
    expect(await pushBlob(source, connection, { keepFor: 'job', moved: (bytes) => moved.push(bytes) })).toBe(
      blob.length,
    )
    expect(moved).toEqual([pieceBytes, pieceBytes, 700])
    expect(same(await store.get(hash), blob)).toBe(true)
    expect(store.isKept(hash)).toBe(true)
    expect(await pushBlob(source, connection, { keepFor: 'other' })).toBe(0)
    expect(await pushBlob(await blobOf(new Uint8Array(0)), connection)).toBe(0)
    expect(store.count).toBe(2)
    expect(store.isKept(hashOf(new Uint8Array(0)))).toBe(false)
  })

  it('goes on where it broke off', async () => {
    const target = await newStore()
    const breaking = await connected('pi1', blobMethods(target), failingAfter(2, 'blobs.write'))
    const from = await newStore()
    await from.put(blob)
    const source = storedBlob(from, hash)!
    await expect(pushBlob(source, breaking)).rejects.toThrow(/the cable was pulled/)
    const well = await connected('pi1', blobMethods(target))
    expect(await pushBlob(source, well)).toBe(blob.length - pieceBytes)
    expect(same(await target.get(hash), blob)).toBe(true)
    expect(storedBlob(from, hashOf(bytesOf(5)))).toBeUndefined()
  })

  it('is told that there is no room before anything is moved, and of bytes that are others', async () => {
    const small = await newStore({ maxBytes: pieceBytes })
    const moved: number[] = []
    const full = pushBlob(await blobOf(blob), await connected('pi1', blobMethods(small)), {
      moved: (n) => moved.push(n),
    })
    await expect(full).rejects.toThrow(/StorageFullError: there is no room for/)
    expect(moved).toEqual([])
    const { connection, store } = await node('pi2', [])
    const wrong = { ...(await blobOf(bytesOf(50))), hash }
    await expect(pushBlob(wrong, connection)).rejects.toThrow(new RegExp(CorruptBlobError.name))
    expect(store.bytes).toBe(0)
  })

  it('gives up on a node where nothing arrives', async () => {
    const hole = await connected(
      'pi1',
      Object.fromEntries([serving(api.write, () => ({ says: { there: 0 }, tensors: [] }))]),
    )
    await expect(pushBlob(await blobOf(blob), hole)).rejects.toThrow(/does not grow at the other node/)
  })

  it('asks what is missing, and says whom blobs are no longer kept for', async () => {
    const { store, connection } = await node('pi1', [blob])
    const many = Array.from({ length: 1500 }, (_, i) => hashOf(Uint8Array.of(i, i >> 8)))
    expect(await missingBlobs([hash, ...many, hash], connection)).toEqual(many)
    await pushBlob(storedBlob(store, hash)!, connection, { keepFor: 'job' })
    expect(store.isKept(hash)).toBe(true)
    await connection.call(
      'blobs.release',
      { head: new TextEncoder().encode('{"keepFor":"job"}'), tensors: [] },
      { deadlineMs: 1000 },
    )
    expect(store.isKept(hash)).toBe(false)
  })

  it('refuses what is no piece', async () => {
    const { connection } = await node('pi1', [])
    const head = new TextEncoder().encode(JSON.stringify({ hash, offset: 0, bytes: 5, keepFor: '' }))
    await expect(connection.call('blobs.write', { head, tensors: [] }, { deadlineMs: 1000 })).rejects.toThrow(
      /one tensor/,
    )
    const tensors = pieceTensors(new Uint8Array(pieceBytes + 1))
    await expect(connection.call('blobs.write', { head, tensors }, { deadlineMs: 1000 })).rejects.toThrow(
      /one tensor/,
    )
  })
})
