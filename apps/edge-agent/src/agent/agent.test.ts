import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as jobs from '../api/jobs.ts'
import * as api from '../api/node.ts'
import type { JobRequest } from '../jobs/spec.ts'
import { endAgents, startAgents, type TestAgent } from './testing/cluster.ts'
import { linesOf, putProgram, run } from './testing/runJobs.ts'

let root = ''
let agents: readonly TestAgent[] = []
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-agents-'))
  agents = await startAgents(root, 3)
})
afterAll(() => endAgents(root, agents))

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
    const file = join(root, 'program.ts')
    await writeFile(
      file,
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
      program: await putProgram(a, file),
      tasks: { worker: { count: 3, need: { memoryBytes: 2 ** 28 } } },
      scheduling: 'gang',
    }
    const told = await run(a, spec)
    const { job, state, events } = told
    expect({ state, lines: linesOf(told).toSorted() }).toEqual({
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
