// A store on a real file system of one mebibyte that fills up: its own, in a mount namespace of its own.
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../testing/temporaryFolder.ts'

const folder = temporaryFolder()

/** Runs a command where `folder` is a file system of so many KiB. The namespace of users lets anybody mount there, where the system permits that. */
function onSmallDisk(kib: number, ...command: readonly string[]): string {
  const script = `mount -t tmpfs -o size=${kib}k tmpfs "$0" && exec "$@"`
  const args = ['--map-root-user', '--mount', 'sh', '-c', script, folder, ...command]
  return execFileSync('unshare', args, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function whyNoMounts(): string | undefined {
  try {
    onSmallDisk(16, 'true')
    return undefined
  } catch (thrown) {
    return `nothing can be mounted: ${(thrown as Error).message.trim()}`
  }
}

const missing = whyNoMounts()

/** Another program fills the disk between the look at what is free and the writing: the store is told that there is room. */
const program = (settings: object): string => `
  import { readdirSync, writeFileSync, rmSync } from 'node:fs'
  import { join } from 'node:path'
  import { BlobStore } from ${JSON.stringify(new URL('./blobStore.ts', import.meta.url).href)}
  import { systemDisk } from ${JSON.stringify(new URL('./disk.ts', import.meta.url).href)}
  import { hashOf } from ${JSON.stringify(new URL('./hash.ts', import.meta.url).href)}
  import { EventLog } from ${JSON.stringify(new URL('../history/eventLog.ts', import.meta.url).href)}
  import { sampleEvents } from ${JSON.stringify(new URL('../testing/sampleEvents.ts', import.meta.url).href)}
  const { folder } = ${JSON.stringify(settings)}
  const failure = (error) => ({ name: error.name, neededBytes: error.neededBytes, code: error.cause?.code })
  const open = (disk = systemDisk) =>
    BlobStore.open({ folder: join(folder, 'blobs'), maxBytes: 1e9, minFreeBytes: 0, log() {}, disk })
  const blobs = [1, 2, 3, 4].map((byte) => new Uint8Array(350_000).fill(byte))
  await using log = await EventLog.open(join(folder, 'j-abcdefghijkl.jsonl'), { log() {} })
  await log.append(sampleEvents)
  await using store = await open()
  const kept = await store.put(blobs[0], 'job')
  await store.put(blobs[1])
  // Room is made of what nobody keeps, by what the system says is free.
  const third = await store.put(blobs[2], 'job')
  const fourth = await store.put(blobs[3], 'job').catch(failure)
  const counts = [store.count, store.has(kept), store.has(third)]
  await using trusting = await open({ ...systemDisk, free: async () => 1e9 })
  const put = await trusting.put(new Uint8Array(600_000).fill(5)).catch(failure)
  const hash = hashOf(new Uint8Array(900_000).fill(6))
  let offset = 0
  let broken
  while (!broken) {
    const piece = new Uint8Array(100_000).fill(6)
    const there = await trusting.append({ hash, bytes: 900_000, offset, piece }).catch((error) => void (broken = failure(error)))
    offset = there ?? offset
  }
  writeFileSync(join(folder, 'filler'), '')
  try { for (;;) writeFileSync(join(folder, 'filler'), new Uint8Array(4096), { flag: 'a' }) } catch {}
  const event = { ...sampleEvents[15], line: 'x'.repeat(10_000) }
  const logged = await log.append([event]).catch(failure)
  rmSync(join(folder, 'filler'))
  const resumed = await trusting.begin(hash, 900_000)
  await log.append([sampleEvents[15]])
  const read = await log.read(0)
  console.log(JSON.stringify({
    fourth, counts, put, broken, offset, resumed, logged, events: read.events.length,
    keptWhole: (await trusting.get(kept)).every((byte) => byte === 1),
    drafts: readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.draft')),
  }))
`

describe.skipIf(missing)(`a disk that fills up${missing ? ` (${missing})` : ''}`, () => {
  it('breaks nothing that was there, and is told of in bytes', () => {
    const args = ['--conditions=@shoal/source', '--input-type=module', '--eval', program({ folder })]
    const said = JSON.parse(onSmallDisk(1024, process.execPath, ...args)) as Record<string, unknown>
    expect(said).toEqual({
      // Two of them were kept, and the third had to go for the other.
      fourth: { name: 'StorageFullError', neededBytes: 350_000 },
      counts: [2, true, true],
      put: { name: 'StorageFullError', neededBytes: 600_000, code: 'ENOSPC' },
      broken: { name: 'StorageFullError', neededBytes: 100_000, code: 'ENOSPC' },
      offset: said['resumed'],
      resumed: expect.any(Number) as number,
      logged: { name: 'StorageFullError', neededBytes: expect.any(Number) as number, code: 'ENOSPC' },
      events: 25,
      keptWhole: true,
      drafts: [],
    })
    expect(said['resumed']).toBeGreaterThan(0)
  })
})
