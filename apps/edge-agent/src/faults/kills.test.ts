import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentProcess, newCluster, startAll } from '../agent/testing/agentProcess.ts'
import { linesOf, patiently, putProgram, submit, watch, type Watched } from '../agent/testing/runJobs.ts'
import * as jobs from '../api/jobs.ts'
import type { JobEvent } from '../history/event.ts'
import type { JobRequest } from '../jobs/spec.ts'

let root = ''
let agents: readonly AgentProcess[] = []
let laptop: AgentProcess
let program = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-kills-'))
  const all = await newCluster(root, {
    n1: 'manager',
    n2: 'manager',
    n3: 'manager',
    n4: 'worker',
    laptop: 'client',
  })
  agents = all.slice(0, 4)
  laptop = all[4]!
  await startAll(all)
  program = await putProgram(agents[0]!, fileURLToPath(new URL('pacedProgram.ts', import.meta.url)))
}, 60_000)
afterAll(async () => {
  await Promise.all([...agents, laptop].map((agent) => agent[Symbol.asyncDispose]()))
  await rm(root, { recursive: true, force: true })
})

const request = (kind: JobRequest['kind'], more: Partial<JobRequest> = {}): JobRequest => ({
  name: kind,
  kind,
  program,
  tasks: { worker: { count: 2, need: { memoryBytes: 2 ** 28 } } },
  scheduling: 'elastic',
  ...more,
})

/** Whom to kill. */
type Victim = 'its leader' | 'the node of a task' | 'a node that has nothing to do with it'

async function victimOf(job: string, victim: Victim): Promise<AgentProcess | undefined> {
  const { view } = await patiently(() => laptop.ask(jobs.show, { job }))
  const working = new Set(view.tasks.flatMap(({ node, state }) => (state === 'running' ? [node] : [])))
  return agents.find(({ nodeId }) => {
    if (victim === 'its leader') return nodeId === view.leader
    if (nodeId === view.leader) return false
    return working.has(nodeId) === (victim === 'the node of a task')
  })
}

/** Runs a job and kills somebody whenever it has come so much further; whoever was killed before is started again then. */
async function runKilling(
  spec: JobRequest,
  victims: readonly Victim[],
  isProgress: (event: JobEvent) => boolean,
): Promise<Watched> {
  const job = await submit(laptop, spec)
  const left = [...victims]
  let progress = 0
  let dead: AgentProcess | undefined
  const watched = await watch(laptop, { job, events: [], state: 'queued' }, async (event) => {
    if (isProgress(event)) progress++
    if (progress < 3 || left.length === 0) return
    const victim = await victimOf(job, left[0]!)
    if (!victim) return
    left.shift()
    progress = 0
    await dead?.start()
    await victim.kill()
    dead = victim
  })
  await dead?.start()
  expect(left).toEqual([])
  // Whoever was killed as well knows what has become of it, and all that keep it have the same.
  const copies = await Promise.all(
    agents.map(async (agent) => {
      await expect
        .poll(async () => (await agent.ask(jobs.show, { job })).view.state, { timeout: 10_000 })
        .toBe('succeeded')
      const { events } = await agent.ask(jobs.events, { job, from: 0, waitMs: 0 })
      return { events, study: (await agent.ask(jobs.readDocument, { job, key: 'study' })).value }
    }),
  )
  for (const { events, study } of copies) {
    expect(events).toEqual(watched.events)
    expect(study).toEqual(copies[0]!.study)
  }
  await expect
    .poll(async () => (await Promise.all(agents.map((agent) => agent.taskProcesses()))).flat())
    .toEqual([])
  return watched
}

const all: readonly Victim[] = ['its leader', 'the node of a task', 'a node that has nothing to do with it']

describe('whoever is killed', () => {
  it('a search ends well, and every trial is there once', { timeout: 60_000 }, async () => {
    const { job, events } = await runKilling(request('search'), all, ({ kind }) => kind === 'trialEnded')
    const numbers = [...Array(24).keys()]
    const ended = events.flatMap((event) => (event.kind === 'trialEnded' ? [event] : []))
    expect(ended.map(({ trial }) => trial).toSorted((a, b) => a - b)).toEqual(numbers)
    const { value } = await laptop.ask(jobs.readDocument, { job, key: 'study' })
    const { trials } = value as unknown as {
      readonly trials: readonly { readonly number: number; readonly state: string }[]
    }
    expect(trials.map(({ number, state }) => `${number} ${state}`)).toEqual(
      numbers.map((n) => `${n} complete`),
    )
  })

  it('a training ends well, and goes on from where it was', { timeout: 60_000 }, async () => {
    const training = request('train', { scheduling: 'gang', retries: 0 })
    const told = await runKilling(training, all, ({ kind }) => kind === 'metrics')
    const result = await laptop.ask(jobs.readDocument, { job: told.job, key: 'result' })
    expect(result.value).toEqual({ w: expect.closeTo(3, 2) as number, b: expect.closeTo(-2, 2) as number })
    expect(linesOf(told)).toContainEqual(expect.stringMatching(/^goes on from the checkpoint of step/))
  })

  it('an ensemble is made, of all its members', { timeout: 60_000 }, async () => {
    const making = request('ensemble', { settings: { members: 16 } })
    const told = await runKilling(
      making,
      all,
      (event) => event.kind === 'log' && event.line.endsWith('is trained'),
    )
    const result = await laptop.ask(jobs.readDocument, { job: told.job, key: 'result' })
    const { members } = result.value as unknown as { readonly members: readonly { readonly name: string }[] }
    expect(members.map(({ name }) => name)).toEqual(Array.from({ length: 16 }, (_, i) => `member ${i}`))
  })
})
