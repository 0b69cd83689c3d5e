import { systemClock } from '@shoal/distributed/peers'
import { expect, it } from 'vitest'
import type { Blobs, Nodes } from './ports.ts'
import { type StartRequest, TaskHost } from './taskHost.ts'
import { Village } from './village.ts'

const request: StartRequest = {
  job: 'j-000000000000',
  attempt: 0,
  task: 'worker:0',
  kind: 'train',
  program: 'ab'.repeat(32),
  need: { memoryBytes: 2 ** 29, cores: 1, devices: [] },
  timeLimitMs: 60_000,
  cluster: { worker: 1 },
  where: { 'worker:0': 'a' },
  settings: {},
  datasets: {},
  reads: [],
}

it('a node begins no task for a GPU that it does not have, whoever asks', async () => {
  const begun: string[] = []
  await using village = new Village(async ({ assignment }) => {
    begun.push(`${assignment.task.job}:${assignment.task.index}`)
  })
  const { host } = await village.start('a')
  const need = { ...request.need, devices: ['webgpu' as const] }
  await expect(host.start({ ...request, need })).rejects.toThrow(
    "'a' has 0 GPUs, 0 are taken, and one more is asked for",
  )
  await host.start({ ...request, task: 'worker:1', where: { 'worker:1': 'a' } })
  expect(begun).toEqual(['worker:1'])
})

it('goes on where what a task leaves cannot be cleared away, and says so', async () => {
  const said: string[] = []
  const host = new TaskHost({
    nodes: {
      self: { nodeId: 'a', role: 'manager' },
      present: () => [{ nodeId: 'a', inventory: { cores: 1, memoryBytes: 2 ** 30, devices: [] } }],
      call: async () => ({ says: {}, tensors: [] }),
      changed: () => {},
    } as unknown as Nodes,
    blobs: {
      get: async () => new Uint8Array(),
      release: () => Promise.reject(new Error('EIO: the disk is broken')),
    } as unknown as Blobs,
    launch: async (assignment) => ({
      assignment,
      ended: Promise.resolve({ kind: 'done' }),
      incoming: () => {},
      living: () => {},
      stop: () => {},
      traffic: () => ({ sent: 0, received: 0 }),
      [Symbol.asyncDispose]: async () => {},
    }),
    connect: () => Promise.reject(new Error('there are no streams here')),
    leaderOf: () => 'a',
    keepersOf: () => ['a'],
    clock: systemClock,
    today: () => 0,
    log: (line) => said.push(line),
  })
  await host.start(request)
  await expect
    .poll(() => said)
    .toEqual(['worker:0 of job j-000000000000 was not cleared away: EIO: the disk is broken'])
  await host[Symbol.asyncDispose]()
})
