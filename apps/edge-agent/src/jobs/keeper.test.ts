import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@shoal/distributed/peers'
import { expect, it } from 'vitest'
import { EventLog } from '../history/eventLog.ts'
import { Jobs } from './jobs.ts'
import type { Blobs, Nodes, PresentNode } from './ports.ts'
import { type JobRecord, nextVersion, recordKey } from './record.ts'
import type { OpenLog } from './replica.ts'
import { jobSpecSchema } from './spec.ts'

const spec = jobSpecSchema.parse({
  name: 'search',
  kind: 'search',
  program: 'ab'.repeat(32),
  tasks: { worker: { count: 1 } },
  scheduling: 'elastic',
})
const recordOf = (id: string, leader: string, more: Partial<JobRecord>): JobRecord => ({
  id,
  spec,
  submittedBy: 'a',
  submittedAt: 0,
  state: 'running',
  reason: '',
  term: 2,
  leader,
  keepers: ['b', 'c'],
  attempt: 0,
  failures: 0,
  tasks: [],
  ...more,
})

/** The jobs of node c, which node b tells of its own. */
async function keeper(
  others: readonly string[] = ['b'],
  openLog: OpenLog = (path) => EventLog.open(path, { log: () => {} }),
): Promise<
  { readonly jobs: Jobs; readonly timers: (() => void)[]; readonly kept: Set<string> } & AsyncDisposable
> {
  const timers: (() => void)[] = []
  const kept = new Set<string>()
  const folder = await mkdtemp(join(tmpdir(), 'shoal-keeper-'))
  const nodes: Nodes = {
    self: { nodeId: 'c', role: 'manager' },
    present: () =>
      ['c', ...others].map((nodeId) => ({ nodeId, role: 'manager', jobs: [] }) as unknown as PresentNode),
    call: () => Promise.reject(new Error('nobody is asked here')),
    connections: () => [],
    changed: () => {},
  }
  const jobs = await Jobs.open({
    folder,
    nodes,
    blobs: {
      fetch: async (_: unknown, { keepFor }: { readonly keepFor: string }) => {
        kept.add(keepFor)
        throw new Error('nobody has it')
      },
      release: async (holder: string) => void kept.delete(holder),
    } as unknown as Blobs,
    openLog,
    clock: { ...systemClock, now: () => 0, after: (_ms, action) => (timers.push(action), () => {}) },
    today: () => 0,
    log: () => {},
  })
  return {
    jobs,
    timers,
    kept,
    async [Symbol.asyncDispose]() {
      await jobs[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}
const copied = (record: JobRecord, count: number, study?: string) => ({
  entries: [
    { key: recordKey, version: nextVersion(count, record.term), value: record as never },
    ...(study === undefined
      ? []
      : [{ key: 'study', version: nextVersion(count + 1, record.term), value: study }]),
  ],
  from: 0,
  events: [],
  reset: false,
})

it.each([5, 50])(
  'what the leader that counts has written takes the place of what another one wrote in the same term, however often: version %i',
  async (count) => {
    await using node = await keeper()
    const job = 'j-000000000000'
    await node.jobs.take({ job, term: 2, leader: 'c' }, copied(recordOf(job, 'c', {}), 50, 'of c'))
    expect(node.jobs.heads[0]?.leader).toBe('c')
    const events = { entries: [], from: 0, events: [], reset: false }
    await node.jobs.take({ job, term: 2, leader: 'b' }, events)
    expect(node.jobs.replica(job).documents.get('study')?.value).toBe('of c')
    await node.jobs.take({ job, term: 2, leader: 'b' }, copied(recordOf(job, 'b', {}), count, 'of b'))
    expect(node.jobs.heads[0]?.leader).toBe('b')
    expect(node.jobs.replica(job).documents.get('study')?.value).toBe('of b')
  },
)

it('one who only keeps copies forgets the oldest of jobs that are over, too', async () => {
  await using node = await keeper()
  for (let i = 0; i < 203; i++) {
    const job = `j-${String(i).padStart(12, '0')}`
    const record = recordOf(job, 'b', { state: 'succeeded', endedAt: i })
    await node.jobs.take({ job, term: 2, leader: 'b' }, copied(record, 0))
  }
  expect(node.jobs.heads).toHaveLength(200)
  expect(node.jobs.heads[0]?.id).toBe('j-000000000003')
})

it('who could not begin to lead a job, as with a full disk, tries again', async () => {
  let isFull = false
  await using node = await keeper([], async (path) => {
    const log = await EventLog.open(path, { log: () => {} })
    const { append } = log
    log.append = (events) =>
      isFull ? Promise.reject(new Error('ENOSPC: the disk is full')) : append.call(log, events)
    return log
  })
  const job = 'j-000000000000'
  await node.jobs.take({ job, term: 2, leader: 'b' }, copied(recordOf(job, 'b', {}), 5))
  isFull = true
  node.timers.shift()!()
  await expect.poll(() => node.timers.length).toBe(1)
  expect(() => node.jobs.leader(job)).toThrow('does not lead')
  isFull = false
  node.timers.shift()!()
  await expect.poll(() => node.jobs.replica(job).log.length).toBeGreaterThan(0)
  expect(node.jobs.leader(job).record).toMatchObject({ leader: 'c', term: 4 })
})

it('keeps nothing for a job whose program nobody has', async () => {
  await using node = await keeper()
  await expect(node.jobs.submit(spec, 'c')).rejects.toThrow('nobody has it')
  expect([...node.kept]).toEqual([])
})

it('passes over a job that it does not understand', async () => {
  await using node = await keeper()
  const job = 'j-000000000000'
  const strange = {
    ...copied(recordOf(job, 'b', {}), 5),
    entries: [{ key: recordKey, version: 1, value: 'of a later program' }],
  }
  await node.jobs.take({ job, term: 2, leader: 'b' }, strange)
  expect(node.jobs.heads).toEqual([])
})
