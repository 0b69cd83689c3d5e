import { describe, expect, it } from 'vitest'
import { callMethod } from '@shoal/distributed/peers'
import * as api from '../api/jobs.ts'
import type { JobEvent } from '../history/event.ts'
import { type JobRequest, jobSpecSchema } from './spec.ts'
import { type Program, Village } from './village.ts'

const hash = 'ab'.repeat(32)
const gang: JobRequest = {
  name: 'gang',
  kind: 'train',
  program: hash,
  tasks: { worker: { count: 3 } },
  scheduling: 'gang',
}
const elastic: JobRequest = { ...gang, name: 'search', kind: 'search', scheduling: 'elastic' }
const deadlineMs = 20_000
const byName = (a = '', b = ''): number => a.localeCompare(b)
const nameOf = ({ settings }: { readonly settings: Readonly<Record<string, unknown>> }): string =>
  JSON.stringify(settings['name']).slice(1, -1)

/** What a client of a node is told of a job, until it is over. */
async function follow(village: Village, nodeId: string, job: string, seen?: (event: JobEvent) => void) {
  const events: JobEvent[] = []
  for (;;) {
    const node = village.get(nodeId)!
    const { says } = await callMethod(
      node.connection(),
      api.events,
      { job, from: events.length, waitMs: 200 },
      { deadlineMs },
    )
    events.push(...says.events)
    for (const event of says.events) seen?.(event)
    if (says.events.length === 0 && ['succeeded', 'failed', 'stopped'].includes(says.state))
      return { events, state: says.state }
  }
}
async function submit(village: Village, nodeId: string, spec: JobRequest): Promise<string> {
  const request = { spec: jobSpecSchema.parse(spec) }
  return (await callMethod(village.get(nodeId)!.connection(), api.submit, request, { deadlineMs })).says.job
}
const view = async (village: Village, nodeId: string, job: string) =>
  (await callMethod(village.get(nodeId)!.connection(), api.show, { job }, { deadlineMs })).says.view

describe('a job', () => {
  it('runs all tasks of a gang, one on each node, and is over when they are', async () => {
    const seen: string[] = []
    await using village = new Village(async ({ assignment, services }) => {
      seen.push(`${assignment.task.job}:${assignment.task.index} on ${assignment.node}`)
      services.report({ step: 1, values: { loss: 0.5 } })
      services.log('stdout', 'hello')
    })
    for (const node of ['a', 'b', 'c']) await village.start(node)
    const job = await submit(village, 'a', gang)
    // Any node may be asked.
    const { events, state } = await follow(village, 'c', job)
    expect(state).toBe('succeeded')
    expect(seen.map((line) => line.split(' on ')[1]).toSorted(byName)).toEqual(['a', 'b', 'c'])
    expect(events[0]).toMatchObject({ kind: 'submitted', node: 'a' })
    expect(events.filter(({ kind }) => kind === 'metrics')).toHaveLength(3)
    expect(events.filter(({ kind }) => kind === 'taskEnded')).toHaveLength(3)
    const { tasks } = await view(village, 'b', job)
    expect(tasks.map(({ state: of }) => of)).toEqual(['done', 'done', 'done'])
  })

  it('waits while there is no room, and says what for', async () => {
    await using village = new Village(async () => {})
    await village.start('a')
    const job = await submit(village, 'a', { ...gang, tasks: { worker: { count: 3 } } })
    await expect.poll(async () => (await view(village, 'a', job)).reason).toContain('core')
    expect((await view(village, 'a', job)).state).toBe('queued')
    await village.start('b')
    expect((await follow(village, 'a', job)).state).toBe('succeeded')
  })

  it('begins a gang again when a node is lost, and goes on from what was written', async () => {
    const reached = Promise.withResolvers<void>()
    const steps = counting(reached.resolve)
    await using village = new Village(steps.program)
    for (const node of ['a', 'b', 'c']) await village.start(node)
    const job = await submit(village, 'a', { ...gang, tasks: { worker: { count: 2 } } })
    await reached.promise
    const [victim] = (await view(village, 'a', job)).tasks
      .map(({ node }) => node)
      .filter((node) => node !== 'a')
    await village.get(victim!)!.kill()
    const { state, events } = await follow(village, 'a', job)
    expect(state).toBe('succeeded')
    expect(steps.counted).toEqual([...Array(20).keys()].map((n) => n + 1))
    expect(events).toContainEqual(expect.objectContaining({ kind: 'node', node: victim, state: 'lost' }))
  })

  it('is led by another node when its leader is killed, and has lost nothing that was written', async () => {
    const reached = Promise.withResolvers<void>()
    const steps = counting(reached.resolve)
    await using village = new Village(steps.program)
    for (const node of ['a', 'b', 'c']) await village.start(node)
    const job = await submit(village, 'a', { ...gang, tasks: { worker: { count: 2 } } })
    await reached.promise
    await village.get('a')!.kill()
    await expect
      .poll(async () => (await view(village, 'c', job)).leader, { timeout: 10_000 })
      .toMatch(/^[bc]$/)
    const { state, events } = await follow(village, 'c', job)
    expect(state).toBe('succeeded')
    // The answer to one write may have died with the leader, but nothing was written twice.
    expect(steps.counted).toEqual([...new Set(steps.counted)].toSorted((a, b) => a - b))
    expect(steps.counted.length).toBeGreaterThanOrEqual(19)
    expect(events.filter(({ kind }) => kind === 'led')).toHaveLength(2)
    // The one that was killed comes back and knows what has become of the job.
    await village.start('a')
    await expect.poll(async () => (await view(village, 'a', job)).state).toBe('succeeded')
  })

  it('is copied anew to a leader that was killed and comes back to find that another one leads', async () => {
    await using village = new Village(
      ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    )
    for (const node of ['a', 'b']) await village.start(node)
    const job = await submit(village, 'a', { ...elastic, tasks: { worker: { count: 'all' } } })
    for (let term = 1; term < 6; term++) {
      const [leader, other] = term % 2 === 1 ? ['a', 'b'] : ['b', 'a']
      await expect.poll(async () => (await view(village, other!, job)).leader).toBe(leader)
      await village.get(leader!)!.kill()
      await expect.poll(async () => (await view(village, other!, job)).leader).toBe(other)
      const { jobs } = await village.start(leader!)
      // What it had counts no more; what it has then is the new leader's.
      await expect
        .poll(() => jobs.heads.find(({ id }) => id === job))
        .toMatchObject({ leader: other, term: term + 1, keepers: [other, leader] })
    }
    await callMethod(village.get('a')!.connection(), api.stopJob, { job, reason: 'done' }, { deadlineMs })
  })

  it('has the same history everywhere, whatever a leader had written that nobody else had', async () => {
    const going = Promise.withResolvers<void>()
    await using village = new Village(({ signal }) =>
      Promise.race([
        going.promise,
        new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
      ]),
    )
    for (const node of ['a', 'b', 'c']) await village.start(node)
    const job = await submit(village, 'a', elastic)
    await expect.poll(async () => (await view(village, 'b', job)).state).toBe('running')
    const log = {
      v: 1,
      job,
      at: 1,
      kind: 'log',
      task: 'worker:0',
      attempt: 0,
      node: 'a',
      stream: 'stdout',
    } as const
    const a = village.get('a')!
    await a.jobs.leader(job).report([{ ...log, line: 'of all' }])
    await a.jobs.replica(job).log.append([{ ...log, line: 'of one alone' }])
    await a.kill()
    await expect.poll(async () => (await view(village, 'c', job)).leader).toMatch(/^[bc]$/)
    await village.start('a')
    going.resolve()
    const { events } = await follow(village, 'c', job)
    const lines = events.flatMap((event) => (event.kind === 'log' ? [event.line] : []))
    expect(lines).toEqual(['of all'])
    for (const { jobs } of village.living)
      await expect.poll(async () => (await jobs.replica(job).log.read(0)).events).toEqual(events)
  })

  it('tells once of the end of each trial, however often that is said to however many leaders', async () => {
    const going = Promise.withResolvers<void>()
    await using village = new Village(async ({ services, signal }) => {
      services.trialEnded({ trial: 0, state: 'complete', params: {}, value: 1 })
      await Promise.race([going.promise, new Promise((resolve) => signal.addEventListener('abort', resolve))])
      services.trialEnded({ trial: 0, state: 'complete', params: {}, value: 1 })
    })
    for (const node of ['a', 'b', 'c']) await village.start(node)
    const job = await submit(village, 'a', { ...elastic, tasks: { worker: { count: 6 } } })
    const isTold = async () => (await village.get('b')!.jobs.replica(job).log.read(0)).events
    await expect.poll(isTold).toContainEqual(expect.objectContaining({ kind: 'trialEnded' }))
    await village.get('a')!.kill()
    await expect.poll(async () => (await view(village, 'c', job)).leader).toMatch(/^[bc]$/)
    going.resolve()
    const { events } = await follow(village, 'c', job)
    expect(events.filter(({ kind }) => kind === 'trialEnded')).toHaveLength(1)
  })

  it('does not keep the process of its leader for long when that has ended', async () => {
    await using village = new Village(async () => {})
    await village.start('a')
    const job = await submit(village, 'a', { ...gang, tasks: { worker: { count: 1 } } })
    expect((await follow(village, 'a', job)).state).toBe('succeeded')
    // Its leader stays for the last words of tasks.
    const lastWordsMs = 60_000
    await expect.poll(() => village.timers).toContain(lastWordsMs)
    await village.get('a')!.kill()
    expect(village.timers).not.toContain(lastWordsMs)
  })

  it('is known to every node while nobody leads it', async () => {
    await using village = new Village(
      ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    )
    for (const node of ['a', 'b', 'c', 'd']) await village.start(node)
    const job = await submit(village, 'a', gang)
    await village.get('a')!.kill()
    // 'd' keeps no copy of it.
    for (const node of ['b', 'c', 'd']) {
      const list = await callMethod(village.get(node)!.connection(), api.list, {}, { deadlineMs })
      expect(list.says.jobs).toMatchObject([{ id: job, leader: '' }])
      expect(await view(village, node, job)).toMatchObject({ id: job, leader: '' })
    }
  })

  it('goes on where all nodes were killed and one of them comes back', async () => {
    const reached = Promise.withResolvers<void>()
    const steps = counting(reached.resolve)
    await using village = new Village(steps.program)
    await village.start('a')
    const job = await submit(village, 'a', { ...gang, tasks: { worker: { count: 2 } } })
    await reached.promise
    await village.get('a')!.kill()
    await village.start('a')
    expect((await follow(village, 'a', job)).state).toBe('succeeded')
    expect(steps.counted).toEqual([...Array(20).keys()].map((n) => n + 1))
  })

  it('replaces a lost task of an elastic job, and takes in nodes that come later', async () => {
    const nodes = new Set<string>()
    const late = Promise.withResolvers<void>()
    await using village = new Village(async ({ assignment, signal }) => {
      nodes.add(assignment.node)
      if (nodes.has('d')) late.resolve()
      await Promise.race([late.promise, new Promise((resolve) => signal.addEventListener('abort', resolve))])
    })
    await village.start('a')
    await village.start('b')
    const job = await submit(village, 'a', { ...elastic, tasks: { worker: { count: 6 } } })
    await expect.poll(() => nodes.has('b')).toBe(true)
    await village.get('b')!.kill()
    await village.start('d')
    expect((await follow(village, 'a', job)).state).toBe('succeeded')
    expect([...nodes].toSorted(byName)).toEqual(['a', 'b', 'd'])
  })

  it('gives up tasks so that another search can begin beside it', async () => {
    const running = new Map<string, number>()
    const both = Promise.withResolvers<void>()
    const add = (name: string, by: number): void => void running.set(name, (running.get(name) ?? 0) + by)
    await using village = new Village(async ({ assignment, signal }) => {
      const name = nameOf(assignment)
      add(name, 1)
      if (running.get('one') === 2 && running.get('two') === 2) both.resolve()
      await Promise.race([both.promise, new Promise((resolve) => signal.addEventListener('abort', resolve))])
      add(name, -1)
    })
    for (const node of ['a', 'b']) await village.start(node)
    const search = (name: string): JobRequest => ({
      ...elastic,
      tasks: { worker: { count: 4 } },
      settings: { name },
    })
    const one = await submit(village, 'a', search('one'))
    await expect.poll(() => running.get('one')).toBe(4)
    const two = await submit(village, 'b', search('two'))
    expect((await follow(village, 'a', one)).state).toBe('succeeded')
    expect((await follow(village, 'a', two)).state).toBe('succeeded')
  })

  it('has failed when its program fails again', async () => {
    let begun = 0
    await using village = new Village(async ({ assignment }) => {
      begun++
      if (assignment.task.index === 1) throw new Error('no such file')
      await new Promise(() => {})
    })
    await village.start('a')
    const job = await submit(village, 'a', { ...gang, tasks: { worker: { count: 2 } }, retries: 1 })
    expect((await follow(village, 'a', job)).state).toBe('failed')
    expect((await view(village, 'a', job)).reason).toContain('no such file')
    expect(begun).toBe(4)
  })

  it('is stopped when it is told to, from any node', async () => {
    await using village = new Village(() => new Promise(() => {}))
    for (const node of ['a', 'b']) await village.start(node)
    const job = await submit(village, 'a', gang)
    await expect.poll(async () => (await view(village, 'b', job)).state).toBe('running')
    await callMethod(village.get('b')!.connection(), api.stopJob, { job, reason: '' }, { deadlineMs })
    expect((await follow(village, 'b', job)).state).toBe('stopped')
    await expect.poll(() => village.living.flatMap(({ host }) => host.taken)).toEqual([])
  })

  it('waits behind one of a higher priority, whichever node leads it', async () => {
    const order: string[] = []
    const first = Promise.withResolvers<void>()
    await using village = new Village(async ({ assignment }) => {
      order.push(nameOf(assignment))
      if (assignment.settings['name'] === 'first') await first.promise
    })
    for (const node of ['a', 'b']) await village.start(node)
    const all = (name: string, priority: number): JobRequest => ({
      ...gang,
      tasks: { worker: { count: 2, need: { cores: 2 } } },
      settings: { name },
      priority,
    })
    await submit(village, 'a', all('first', 0))
    await expect.poll(() => order).toHaveLength(2)
    const low = await submit(village, 'a', all('low', 1))
    const high = await submit(village, 'b', all('high', 2))
    first.resolve()
    await follow(village, 'a', low)
    await follow(village, 'a', high)
    expect(order).toEqual(['first', 'first', 'high', 'high', 'low', 'low'])
  })
})

/** A program whose task 0 counts to 20 in a document; each number must be written once. */
function counting(reached: () => void): { readonly program: Program; readonly counted: number[] } {
  const counted: number[] = []
  return {
    counted,
    program: async ({ assignment, services, signal }) => {
      if (assignment.task.index !== 0) {
        await new Promise<void>((resolve) => {
          const look = async (): Promise<void> => {
            const { value } = await services.readDocument('count', { signal })
            if (Number(value) >= 20) resolve()
            else setTimeout(() => void look().catch(() => undefined), 5)
          }
          look().catch(() => undefined)
        })
        return
      }
      for (;;) {
        const { version, value } = await services.readDocument('count', { signal })
        const next = Number(value ?? 0) + 1
        if (next > 20) return
        const written = await services.writeDocument(
          { key: 'count', ifVersion: version, value: next },
          { signal },
        )
        if (written !== undefined) counted.push(next)
        if (next === 7) reached()
        await new Promise((resolve) => setTimeout(resolve, 2))
        signal.throwIfAborted()
      }
    },
  }
}
