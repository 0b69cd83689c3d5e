import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AgentProcess, assumeSpeed, newCluster } from '../agent/testing/agentProcess.ts'
import * as api from '../api/node.ts'

let root = ''
let agents: AgentProcess[] = []
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-clocks-'))
})
afterEach(async () => {
  await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()))
  await rm(root, { recursive: true, force: true })
})

const hourBehind = `const Real = Date
const now = () => Real.now() - 3_600_000
globalThis.Date = new Proxy(Real, {
  construct: (_, args) => (args.length === 0 ? new Real(now()) : Reflect.construct(Real, args)),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
})`
/** Loaded before everything else: the time of day of a process is an hour behind. */
const flags = [`--import=data:text/javascript,${encodeURIComponent(hourBehind)}`]

describe('an agent whose clock is an hour behind', () => {
  it('is told so when it joins', { timeout: 30_000 }, async () => {
    agents = ['n1', 'late'].map((name) => new AgentProcess(join(root, name)))
    const [n1, late] = agents as [AgentProcess, AgentProcess]
    await Promise.all(agents.map(({ folder }) => assumeSpeed(folder)))
    await Promise.all([n1.start({ name: 'n1' }), late.start({ name: 'late', flags })])
    await expect(late.join(n1)).rejects.toThrow(
      /valid from .*This machine says that it is .*: set the clocks of both/,
    )
  })

  it('trusts nobody of its cluster, and says why', { timeout: 30_000 }, async () => {
    agents = [...(await newCluster(root, { n1: 'manager', late: 'manager' }))]
    const [n1, late] = agents as [AgentProcess, AgentProcess]
    await n1.start()
    await late.start({ flags, peers: [n1.address] })
    const problems = async () => (await late.ask(api.nodes, {})).nodes.map(({ problem }) => problem)
    await expect.poll(problems, { timeout: 5000 }).toContainEqual(expect.stringMatching(/clocks/))
    expect(await late.trusted()).toEqual([])
    expect(await n1.trusted()).toEqual([])
  })
})
