import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ndarray } from '@shoal/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as blobs from '../api/blobs.ts'
import * as jobs from '../api/jobs.ts'
import * as api from '../api/node.ts'
import { hashOf } from '../blobs/hash.ts'
import type { JobEvent } from '../history/event.ts'
import { type JobRequest, jobSpecSchema } from '../jobs/spec.ts'
import { bundleProgram } from '../task/bundle.ts'
import { endAgents, startAgents, type TestAgent } from './testing/cluster.ts'

let root = ''
let agents: readonly TestAgent[] = []
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-agents-'))
  agents = await startAgents(root, 3)
})
afterAll(() => endAgents(root, agents))

/** Bundles a program, and has a node keep it. */
async function program(agent: TestAgent, source: string): Promise<string> {
  const file = join(root, 'program.ts')
  await writeFile(file, source)
  const bytes = await bundleProgram(file)
  const hash = hashOf(bytes)
  for (let offset = 0; offset < bytes.length; offset += blobs.pieceBytes) {
    const piece = bytes.slice(offset, offset + blobs.pieceBytes)
    const request = { hash, offset, bytes: bytes.length, keepFor: 'test' }
    await agent.ask(blobs.write, request, { tensors: [ndarray(piece)] })
  }
  return hash
}

async function run(agent: TestAgent, spec: JobRequest) {
  const { job } = await agent.ask(jobs.submit, { spec: jobSpecSchema.parse(spec) })
  const events: JobEvent[] = []
  for (;;) {
    const answer = await agent.ask(jobs.events, { job, from: events.length, waitMs: 5000 })
    events.push(...answer.events)
    if (answer.events.length === 0 && answer.state !== 'running' && answer.state !== 'queued')
      return {
        job,
        events,
        state: answer.state,
        lines: events.flatMap((e) => (e.kind === 'log' ? [e.line] : [])),
      }
  }
}

describe('agents', () => {
  it('are clusters of their own until they join one, and then trust each other', async () => {
    const [a, b, c] = agents as [TestAgent, TestAgent, TestAgent]
    expect(new Set(agents.map(({ clusterId }) => clusterId)).size).toBe(3)
    await b.join(a)
    await c.join(a, 'worker')
    expect(new Set(agents.map(({ clusterId }) => clusterId)).size).toBe(1)
    const others = (own: TestAgent) =>
      agents
        .filter((agent) => agent !== own)
        .map(({ nodeId }) => nodeId)
        .toSorted()
    for (const agent of agents)
      await expect.poll(() => agent.trusted(), { timeout: 5000 }).toEqual(others(agent))
    const { nodes } = await c.ask(api.nodes, {})
    expect(nodes.map(({ role }) => role).toSorted()).toEqual(['manager', 'manager', 'worker'])
    await expect(c.ask(api.invite, { role: 'worker', minutes: 1 })).rejects.toThrow(
      'that takes the role manager',
    )
  })

  it('run a program in confined processes on all of them, and tell what it says', async () => {
    const [a, b, c] = agents as [TestAgent, TestAgent, TestAgent]
    const hash = await program(
      a,
      `import { defineProgram } from '@shoal/edge-agent/task'
      import { readdirSync } from 'node:fs'
      export default defineProgram({
        async train(task) {
          task.log('hello from ' + task.name + ' of ' + task.cluster.taskCount('worker'))
          task.metrics(1, { loss: 0.5 })
          try { readdirSync('/') } catch (error) { console.log(error.code) }
        },
      })`,
    )
    const spec: JobRequest = {
      name: 'hello',
      kind: 'train',
      program: hash,
      tasks: { worker: { count: 3, need: { memoryBytes: 2 ** 28 } } },
      scheduling: 'gang',
    }
    const { job, state, lines, events } = await run(a, spec)
    expect({ state, lines: lines.toSorted() }).toEqual({
      state: 'succeeded',
      lines: [...Array(3).fill('ERR_ACCESS_DENIED'), ...[0, 1, 2].map((i) => `hello from worker:${i} of 3`)],
    })
    expect(events.filter(({ kind }) => kind === 'metrics')).toHaveLength(3)
    // One that was ended and is started again in its folder is where it was, and knows what has been.
    await b.stop()
    await b.start()
    await expect.poll(() => b.trusted(), { timeout: 5000 }).toEqual([a.nodeId, c.nodeId].toSorted())
    await expect.poll(async () => (await b.ask(jobs.show, { job })).view.state).toBe('succeeded')
    const { jobs: list } = await c.ask(jobs.list, {})
    expect(list.map(({ state: of, spec: { name } }) => `${name} ${of}`)).toEqual(['hello succeeded'])
  })
})
