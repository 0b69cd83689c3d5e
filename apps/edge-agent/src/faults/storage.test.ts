import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentProcess, assumeSpeed, newCluster, startAll } from '../agent/testing/agentProcess.ts'
import { linesOf, putBlob, putProgram, run } from '../agent/testing/runJobs.ts'
import { pathOf } from '../blobs/shelves.ts'
import type { JobRequest } from '../jobs/spec.ts'
import { seededBytes } from '../testing/seededBytes.ts'

let root = ''
let agents: readonly AgentProcess[] = []
let small: AgentProcess
const blob = seededBytes(7)(300_000)
const sum = blob.reduce((total, byte) => total + byte, 0)
let reading: JobRequest

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-storage-'))
  const all = await newCluster(root, { n1: 'manager', n2: 'manager', n3: 'manager', small: 'manager' })
  agents = all.slice(0, 3)
  small = all[3]!
  await startAll(agents)
  const [n1, n2] = agents as [AgentProcess, AgentProcess]
  const hash = await putBlob(n1, blob)
  await putBlob(n2, blob)
  reading = {
    name: 'reading',
    kind: 'train',
    program: await putProgram(n1, fileURLToPath(new URL('readingProgram.ts', import.meta.url))),
    // One task on each node.
    tasks: { worker: { count: 3, need: { cores: 2, memoryBytes: 2 ** 28 } } },
    scheduling: 'gang',
    datasets: {
      data: { files: [{ path: 'bytes', bytes: blob.length, shards: [{ hash, bytes: blob.length }] }] },
    },
  }
}, 60_000)
afterAll(async () => {
  await Promise.all([...agents, small].map((agent) => agent[Symbol.asyncDispose]()))
  await rm(root, { recursive: true, force: true })
})

/** Puts a file system of so many KiB over a folder, with what is in it, for a command alone. */
const onSmallDisk = (folder: string, kib: number): readonly string[] => [
  'unshare',
  '--map-root-user',
  '--mount',
  'sh',
  '-c',
  `cp -a "$0" "$0.copy" && mount -t tmpfs -o size=${kib}k tmpfs "$0" && cp -a "$0.copy/." "$0" && exec "$@"`,
  folder,
]

function whyNoMounts(): string | undefined {
  try {
    execFileSync('unshare', ['--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()])
    return undefined
  } catch (thrown) {
    return `nothing can be mounted: ${(thrown as Error).message.trim()}`
  }
}
const missing = whyNoMounts()

describe('a shard with flipped bits', () => {
  it('is had from another node, by whoever has it and by whoever asks for it', {
    timeout: 60_000,
  }, async () => {
    const [n1] = agents as [AgentProcess]
    const { hash } = reading.datasets!['data']!.files[0]!.shards[0]!
    const path = pathOf(join(n1.folder, 'blobs'), hash)
    const broken = await readFile(path)
    broken[1000]! ^= 4
    await writeFile(path, broken)
    const told = await run(agents[2]!, reading)
    expect(told.state).toBe('succeeded')
    expect(linesOf(told).toSorted()).toEqual(['n1', 'n2', 'n3'].map((node) => `${node} has read ${sum}`))
  })
})

describe.skipIf(missing)(`a node whose disk is full${missing ? ` (${missing})` : ''}`, () => {
  it('says so, and its tasks go elsewhere', { timeout: 60_000 }, async () => {
    // It would be the first to be given something.
    await assumeSpeed(small.folder, 1000)
    await small.start({ prefix: onSmallDisk(small.folder, 8192), peers: [agents[0]!.address] })
    await expect.poll(() => small.trusted(), { timeout: 10_000 }).toHaveLength(3)
    const told = await run(agents[0]!, { ...reading, retries: 0 })
    expect(told.state).toBe('succeeded')
    expect(linesOf(told).toSorted()).toEqual(['n1', 'n2', 'n3'].map((node) => `${node} has read ${sum}`))
    expect(told.events).toContainEqual(expect.objectContaining({ kind: 'taskStarted', node: 'small' }))
    expect(small.lines.join('\n')).toMatch(/could not be begun: .*bytes/)
  })
})
