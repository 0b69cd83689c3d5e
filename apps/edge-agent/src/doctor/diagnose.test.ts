// Two real agents of one cluster, examined as their command does it, until one of them is removed.
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callMethod, SocketTransport, systemClock } from '@shoal/distributed/peers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endAgents, startAgents, type TestAgent } from '../agent/testing/cluster.ts'
import * as doctor from '../api/doctor.ts'
import * as api from '../api/node.ts'
import { Identity } from '../identity/identity.ts'
import { StateFolder } from '../identity/stateFolder.ts'
import { diagnose, type Finding } from './index.ts'

let root = ''
let agents: readonly TestAgent[] = []
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-diagnosed-'))
  agents = await startAgents(root, 2)
})
afterAll(() => endAgents(root, agents))

async function examined(agent: TestAgent, today = Date.now): Promise<readonly string[]> {
  const report = async () => ({
    status: await agent.ask(api.status, {}),
    nodes: (await agent.ask(api.nodes, {})).nodes,
    neighbours: (await agent.ask(doctor.survey, {})).neighbours,
  })
  const asked = async () => ({ report, [Symbol.asyncDispose]: async () => {} })
  const means = { folder: agent.folder, today, clock: systemClock, agent: asked }
  const found = await diagnose(means, ['agent', 'certificate', 'clock', 'port', 'neighbours'])
  return found.filter(({ subject }) => subject !== 'folder').map(inWords)
}
const inWords = ({ subject, verdict, what }: Finding): string => `${subject} ${verdict}: ${what}`
const matching = (...patterns: readonly RegExp[]): unknown =>
  patterns.map((pattern) => expect.stringMatching(pattern) as unknown)

describe('two nodes', () => {
  it('are well when they have joined', async () => {
    const [a, b] = agents as [TestAgent, TestAgent]
    await b.join(a)
    await expect.poll(() => a.trusted(), { timeout: 10_000 }).toEqual([b.nodeId])
    await expect.poll(() => b.trusted(), { timeout: 10_000 }).toEqual([a.nodeId])
    expect(await examined(a)).toEqual(
      matching(
        /^agent good: it runs as process/,
        /^certificate good: manager 'n1-/,
        /^clock good: it is .*, as 'n2-\w{4}' says too/,
        /^port good: others get in at port \d+: 'n2-\w{4}'$/,
        /^neighbours good: 'n2-\w{4}' is connected/,
      ),
    )
  })

  it('send their neighbours out for nobody but the command of their own machine', async () => {
    const [a, b] = agents as [TestAgent, TestAgent]
    const identity = await Identity.open(await StateFolder.open(a.folder))
    const transport = new SocketTransport({ credentials: identity.credentials })
    const connection = await transport.connect(b.address, { deadlineMs: 10_000 })
    await expect(callMethod(connection, doctor.survey, {}, { deadlineMs: 10_000 })).rejects.toThrow(
      'only the command on this machine may',
    )
    await connection.close()
  })

  it('have a clock that is off where it says 1970', async () => {
    const found = await examined(agents[1]!, () => 1000)
    expect(found.filter((line) => line.includes('fault'))).toEqual(
      matching(
        /^certificate fault: it is valid from .* it is 1970/,
        /^clock fault: this machine says that it is 1970/,
      ),
    )
  })

  it('are told apart from one that was removed', async () => {
    const [a, b] = agents as [TestAgent, TestAgent]
    await a.ask(api.remove, { nodeId: b.nodeId })
    await expect.poll(() => b.trusted(), { timeout: 10_000 }).toEqual([])
    expect(await examined(b)).toContainEqual(
      expect.stringMatching(/^certificate fault: 'n1-\w{4}' does not let this node in: .* was removed/),
    )
  })
})
