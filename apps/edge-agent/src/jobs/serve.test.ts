import { callMethod, type Connection, SecurityError } from '@shoal/distributed/peers'
import { expect, it } from 'vitest'
import * as api from '../api/jobs.ts'
import type { JobEvent } from '../history/event.ts'
import { report, stopTask, taskEnded } from './methods.ts'
import { jobSpecSchema } from './spec.ts'
import { Village } from './village.ts'

const deadlineMs = 20_000
const spec = jobSpecSchema.parse({
  name: 'search',
  kind: 'search',
  program: 'ab'.repeat(32),
  tasks: { worker: { count: 2 } },
  scheduling: 'elastic',
})

/** A job with a task on each of two nodes, which never end, and how the one speaks to the other. */
async function village() {
  const begun: string[] = []
  const all = new Village(({ assignment, signal }) => {
    begun.push(assignment.node)
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  })
  for (const node of ['a', 'b']) await all.start(node)
  const a = all.get('a')!
  const b = all.get('b')!
  const { job } = (await callMethod(a.connection(), api.submit, { spec }, { deadlineMs })).says
  await expect.poll(() => begun.length).toBe(2)
  const call = async (name: string, { head }: { readonly head: Uint8Array }) => ({
    head: await a.serve(b, name, head),
    tensors: [],
  })
  return {
    job,
    a,
    /** What b says to a, where the job is led. */
    toLeader: { call } as unknown as Connection,
    [Symbol.asyncDispose]: () => all[Symbol.asyncDispose](),
  }
}

it('a node says of its own tasks alone how they have ended', async () => {
  await using here = await village()
  const own = here.a.jobs.view(here.job).tasks.find(({ node }) => node === 'a')!
  const end = { task: own.task, attempt: 0, node: 'a', end: { kind: 'done' as const }, sent: 0, received: 0 }
  await expect(
    callMethod(here.toLeader, taskEnded, { job: here.job, ...end }, { deadlineMs }),
  ).rejects.toThrow(SecurityError)
  expect(here.a.jobs.view(here.job).tasks.map(({ state }) => state)).toEqual(['running', 'running'])
})

it('a node tells what its own tasks say, and nothing that is for the leader to tell, or of others', async () => {
  await using here = await village()
  const { job } = here
  const base = { v: 1 as const, job, at: 0 }
  const wrong: JobEvent[] = [
    { ...base, kind: 'state', state: 'succeeded', attempt: 0, reason: '' },
    { ...base, kind: 'log', task: 'worker:0', attempt: 0, node: 'a', stream: 'stdout', line: 'not mine' },
    { ...base, job: 'j-zzzzzzzzzzzz', kind: 'trialEnded', trial: 7, node: 'b', state: 'failed', params: {} },
  ]
  for (const event of wrong)
    await expect(
      callMethod(here.toLeader, report, { job, events: [event as never] }, { deadlineMs }),
    ).rejects.toThrow(SecurityError)
  const mine = {
    ...base,
    kind: 'log' as const,
    task: 'worker:0',
    attempt: 0,
    node: 'b',
    stream: 'stdout' as const,
    line: 'mine',
  }
  await callMethod(here.toLeader, report, { job, events: [mine] }, { deadlineMs })
})

it('whose term is over ends no tasks', async () => {
  await using here = await village()
  const { job } = here
  const { task } = here.a.jobs.view(job).tasks.find(({ node }) => node === 'a')!
  // Of two with one term that whose name comes first counts: 'a'.
  const request = { job, term: 1, leader: 'b', task, attempt: 0, reason: 'mine', graceMs: 0 }
  await expect(callMethod(here.toLeader, stopTask, request, { deadlineMs })).rejects.toMatchObject({
    remoteName: 'NotLeaderError',
  })
  expect(here.a.host.taken).toHaveLength(1)
})
