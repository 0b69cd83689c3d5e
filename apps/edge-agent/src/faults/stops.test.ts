import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentProcess, newCluster, startAll } from '../agent/testing/agentProcess.ts'
import { patiently, putProgram, run, submit, watch, type Watched } from '../agent/testing/runJobs.ts'
import * as jobs from '../api/jobs.ts'
import type { JobRequest } from '../jobs/spec.ts'

let root = ''
let agents: readonly AgentProcess[] = []
let laptop: AgentProcess
let program = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-stops-'))
  agents = await newCluster(root, { n1: 'manager', n2: 'manager', laptop: 'client' })
  laptop = agents[2]!
  await startAll(agents)
  program = await putProgram(agents[0]!, fileURLToPath(new URL('pacedProgram.ts', import.meta.url)))
}, 60_000)
afterAll(async () => {
  await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()))
  await rm(root, { recursive: true, force: true })
})

const search = (name: string, more: Partial<JobRequest> = {}): JobRequest => ({
  name,
  kind: 'search',
  program,
  tasks: { worker: { count: 'all', need: { memoryBytes: 2 ** 28 } } },
  scheduling: 'elastic',
  settings: { trials: 12 },
  ...more,
})

const trialsOf = ({ events }: Watched): readonly number[] =>
  events.flatMap((event) => (event.kind === 'trialEnded' ? [event.trial] : [])).toSorted((a, b) => a - b)
const upTo = (count: number): readonly number[] => [...Array(count).keys()]

describe('nodes that come and go', () => {
  it('two searches share them, and both end well', { timeout: 60_000 }, async () => {
    const [n1, n2] = agents as [AgentProcess, AgentProcess]
    const both = await Promise.all([run(n1, search('one')), run(n2, search('two'))])
    expect(both.map(({ state }) => state)).toEqual(['succeeded', 'succeeded'])
    for (const each of both) expect(trialsOf(each)).toEqual(upTo(12))
    // Neither had to wait until the other was over.
    const spans = both.map(({ events }) => {
      const times = events.flatMap(({ kind, at }) => (kind === 'trialEnded' ? [at] : []))
      return [Math.min(...times), Math.max(...times)] as const
    })
    expect(Math.max(...spans.map(([from]) => from))).toBeLessThan(Math.min(...spans.map(([, to]) => to)))
  })

  it('a job of a higher priority goes first, whoever leads it', { timeout: 60_000 }, async () => {
    const [n1, n2] = agents as [AgentProcess, AgentProcess]
    const all = { count: 2, need: { memoryBytes: 2 ** 28, cores: 2 } }
    const gang = (name: string, priority: number): JobRequest =>
      search(name, { scheduling: 'gang', tasks: { worker: all }, settings: { trials: 4 }, priority })
    const first = await submit(n1, gang('first', 0))
    const low = await submit(n1, gang('low', 1))
    const high = await submit(n2, gang('high', 2))
    const [a, b, c] = await Promise.all(
      [first, low, high].map((job) => watch(laptop, { job, events: [], state: 'queued' })),
    )
    const begun = ({ events }: Watched): number => events.find(({ kind }) => kind === 'taskStarted')!.at
    expect([a!, c!, b!].map(begun)).toEqual([a!, c!, b!].map(begun).toSorted((x, y) => x - y))
  })

  it('a laptop that is killed comes back and has missed nothing', { timeout: 60_000 }, async () => {
    const job = await submit(laptop, search('away'))
    const watched: Watched = { job, events: [], state: 'queued' }
    let away: Promise<void> | undefined
    const gone = new AbortController()
    await watch(
      laptop,
      watched,
      async ({ kind }) => {
        if (kind !== 'trialEnded' || away) return
        away = laptop.kill()
        await away
        gone.abort()
      },
      gone.signal,
    )
    const [n1] = agents as [AgentProcess]
    await expect
      .poll(async () => trialsOf(await told(n1, job)).length, { timeout: 20_000 })
      .toBeGreaterThan(trialsOf(watched).length)
    await laptop.start()
    await watch(laptop, watched)
    expect(watched.state).toBe('succeeded')
    expect(trialsOf(watched)).toEqual(upTo(12))
    expect(watched.events).toEqual((await told(n1, job)).events)
  })

  it('a node that was suspended ends what others have begun again', { timeout: 60_000 }, async () => {
    const [n1, n2] = agents as [AgentProcess, AgentProcess]
    const spec = search('suspended', { tasks: { worker: { count: 4, need: { memoryBytes: 2 ** 28 } } } })
    const job = await submit(n1, { ...spec, settings: { trials: 40 } })
    const watched: Watched = { job, events: [], state: 'queued' }
    let isStopped = false
    await watch(n1, watched, async (event) => {
      if (event.kind === 'trialEnded' && !isStopped) {
        isStopped = true
        n2.signal('SIGSTOP')
      }
      // Its tasks have been given up: so much time has passed.
      if (event.kind === 'node' && event.state === 'lost') n2.signal('SIGCONT')
    })
    expect(watched.state).toBe('succeeded')
    expect(trialsOf(watched)).toEqual(upTo(40))
    const nodes = watched.events.flatMap((event) =>
      event.kind === 'node' ? [`${event.node} ${event.state}`] : [],
    )
    expect(nodes).toEqual(['n2 lost', 'n2 back'])
    const { view } = await patiently(() => n2.ask(jobs.show, { job }))
    expect(view.state).toBe('succeeded')
    await expect
      .poll(async () => (await Promise.all(agents.map((agent) => agent.taskProcesses()))).flat())
      .toEqual([])
  })
})

/** All that a node has of the events of a job now. */
async function told(agent: AgentProcess, job: string): Promise<Watched> {
  const { events, state } = await agent.ask(jobs.events, { job, from: 0, waitMs: 0 })
  return { job, events: [...events], state }
}
