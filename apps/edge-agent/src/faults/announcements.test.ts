// Agents on machines of their own, as far as the kernel can tell, and one who says much that is not so.
import { createSocket, type Socket } from 'node:dgram'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentProcess, newCluster } from '../agent/testing/agentProcess.ts'
import * as api from '../api/node.ts'
import { writeMessage } from '../discovery/message.ts'
import { recordsOf } from '../discovery/records.ts'
import { NamespaceNetwork, whyNoNamespaces } from '../testing/namespaces.ts'

const missing = whyNoNamespaces()
const group = { address: '224.0.0.251', port: 5353 }

describe.skipIf(missing)(`an agent among liars${missing ? ` (${missing})` : ''}`, () => {
  let root = ''
  let network: NamespaceNetwork
  let agents: readonly AgentProcess[] = []
  let liar: Socket
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'shoal-liars-'))
    network = new NamespaceNetwork(2)
    agents = await newCluster(root, { n1: 'manager', n2: 'manager' })
    liar = createSocket({ type: 'udp4', reuseAddr: true })
    await new Promise<void>((resolve) => liar.bind(group.port, resolve))
    liar.setMulticastInterface(network.address(254))
  })
  afterAll(async () => {
    await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()))
    liar?.close()
    network?.[Symbol.dispose]()
    await rm(root, { recursive: true, force: true })
  })

  /** Says of a node that it is at the liar's own address, where nobody listens. */
  function announce(
    nodeId: string,
    said: { readonly version?: string; readonly clusterId: string },
  ): Promise<void> {
    const address = network.address(254)
    const link = {
      name: network.bridge,
      internal: false,
      addresses: [{ family: 'ipv4' as const, address, prefix: 24 }],
    }
    const claim = { instance: nodeId, host: `${nodeId}.local`, port: 9 }
    const answers = recordsOf({ nodeId, role: 'manager', version: '1', port: 9, ...said }, claim, link, 60)
    const bytes = writeMessage({ isResponse: true, answers })
    return new Promise((resolve, reject) =>
      liar.send(bytes, group.port, group.address, (error) => (error ? reject(error) : resolve())),
    )
  }
  const start = (machine: number): Promise<AgentProcess> =>
    agents[machine - 1]!.start({ host: network.address(machine), mdns: true, prefix: network.on(machine) })
  const nodes = async () => (await agents[0]!.ask(api.nodes, {})).nodes

  it('says of one who announces itself and is not there why it cannot be reached', {
    timeout: 30_000,
  }, async () => {
    const { clusterId } = await start(1)
    await announce('ghost', { clusterId })
    await expect
      .poll(async () => (await nodes()).find(({ nodeId }) => nodeId === 'ghost'), { timeout: 10_000 })
      .toMatchObject({
        state: 'seen',
        problem: expect.stringContaining('nothing listens at that port') as string,
      })
  })

  it('answers at once beside 200 of them, and soon trusts the one that is true', {
    timeout: 30_000,
  }, async () => {
    const { clusterId } = agents[0]!
    for (let i = 0; i < 200; i++) await announce(`bogus${i}`, { clusterId })
    // Of one sender no more are listed than a network may well have.
    await expect.poll(async () => (await nodes()).length, { timeout: 10_000 }).toBeGreaterThan(20)
    expect((await agents[0]!.ask(api.nodes, {}, { deadlineMs: 2000 })).nodes.length).toBeLessThan(100)
    await start(2)
    await expect.poll(() => agents[0]!.trusted(), { timeout: 10_000 }).toEqual(['n2'])
    expect(await agents[1]!.trusted()).toEqual(['n1'])
  })
})
