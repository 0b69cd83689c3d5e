import { expect, it } from 'vitest'
import type { StartRequest } from './taskHost.ts'
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
