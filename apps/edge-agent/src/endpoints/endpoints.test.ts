// An agent as tools see it that know nothing of Shoal: an HTTP client, a gRPC client, a browser of DNS-SD.
import { credentials as grpcCredentials } from '@grpc/grpc-js'
import Bonjour from 'bonjour-service'
import { GrpcReflection } from 'grpc-js-reflection-client'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ClusterAuthority, type NodeCredentials } from '@shoal/distributed/peers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as api from '../api/node.ts'
import { endAgents, startAgents, TestAgent } from '../agent/testing/cluster.ts'
import { Identity } from '../identity/identity.ts'
import { StateFolder } from '../identity/stateFolder.ts'

let root = ''
let agents: readonly TestAgent[] = []
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shoal-endpoints-'))
  const [b] = await startAgents(join(root, 'b'), 1)
  const [a] = await startAgents(join(root, 'a'), 1, { metricsPort: 0, controlPort: 0 })
  agents = [a!, b!]
  await b!.join(a!)
}, 60_000)
afterAll(() => endAgents(root, agents))

/** Where one of the ports is, as people are told it. */
const told = (agent: TestAgent, pattern: RegExp): string =>
  agent.lines.flatMap((line) => pattern.exec(line)?.[1] ?? []).at(-1)!
const page = (agent: TestAgent) => told(agent, /reads (https:\S+),/)
const credentialsOf = async (agent: TestAgent): Promise<NodeCredentials> =>
  (await Identity.open(await StateFolder.open(agent.folder))).newest

/** How TLS says so: by an alert, where the connection is not gone before it is heard. */
const refused = /alert|ECONNRESET|socket hang up/

async function read(url: string, { certificate, privateKey, authority }: Partial<NodeCredentials>) {
  const request = get(url, {
    ca: authority,
    cert: certificate,
    key: privateKey,
    checkServerIdentity: () => undefined,
  })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return { status: response.statusCode, type: response.headers['content-type'], body: await text(response) }
}

describe('the page for Prometheus', () => {
  it('says how the node does, to whoever is of the cluster', async () => {
    const [a, b] = agents as [TestAgent, TestAgent]
    await expect.poll(() => a.trusted(), { timeout: 5000 }).toEqual([b.nodeId])
    const { status, type, body } = await read(page(a), await credentialsOf(b))
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    expect(body).toContain('shoal_nodes{state="trusted"} 1\n')
    expect(body).toMatch(/^process_resident_memory_bytes \d{7,}$/m)
    expect(body).toContain(
      '# TYPE shoal_blob_fetched_bytes_total counter\nshoal_blob_fetched_bytes_total 0\n',
    )
    expect((await read(page(a).replace('metrics', 'other'), await credentialsOf(b))).status).toBe(404)
  })

  it('says nothing to strangers, and to those who were removed', async () => {
    const [a, b] = agents as [TestAgent, TestAgent]
    const { authority } = await credentialsOf(a)
    await expect(read(page(a), { authority })).rejects.toThrow(refused)
    const stranger = await (await ClusterAuthority.create()).issue({ node: 'x', role: 'manager' })
    await expect(read(page(a), { ...stranger, authority })).rejects.toThrow(refused)
    const own = await credentialsOf(b)
    await a.ask(api.remove, { nodeId: b.nodeId })
    expect(await read(page(a), own)).toMatchObject({ status: 403, body: expect.stringContaining(b.nodeId) })
  })
})

describe('the port of gRPC', () => {
  const target = (agent: TestAgent) => told(agent, /^gRPC is spoken at ([^,]+),/)
  const clientOf = ({ certificate, privateKey, authority }: NodeCredentials, address: string) =>
    new GrpcReflection(
      address,
      grpcCredentials.createSsl(Buffer.from(authority), Buffer.from(privateKey), Buffer.from(certificate), {
        checkServerIdentity: () => undefined,
      }),
      { 'grpc.ssl_target_name_override': 'node' },
    )

  it('lists its services to a client of others', async () => {
    const [a] = agents as [TestAgent, TestAgent]
    const client = clientOf(await credentialsOf(a), target(a))
    const services = await client.listServices()
    expect(services).toEqual(
      expect.arrayContaining([
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'shoal.v1.Control',
      ]),
    )
    const methods = await client.listMethods('shoal.v1.Control')
    expect(methods.map(({ name }) => name)).toContain('GetStatus')
  })

  it('says nothing to strangers', async () => {
    const [a] = agents as [TestAgent, TestAgent]
    const { authority } = await credentialsOf(a)
    const stranger = await (await ClusterAuthority.create()).issue({ node: 'x', role: 'manager' })
    await expect(clientOf({ ...stranger, authority }, target(a)).listServices()).rejects.toThrow(
      'UNAVAILABLE',
    )
  })
})

describe('the service in DNS-SD', () => {
  it('is seen by a browser of others', async () => {
    await using agent = await new TestAgent(join(root, 'seen')).start({ name: 'seen', mdns: true })
    // Its types leave out what it hands on to its sockets.
    const settings = { interface: '127.0.0.1', bind: '0.0.0.0', port: 5353 }
    const browser = new Bonjour(settings)
    try {
      const found = await new Promise((resolve) => {
        browser.find({ type: 'shoal' }, (service) => {
          if (service.name === agent.nodeId) resolve(service)
        })
      })
      const { nodeId, clusterId, address } = agent
      expect(found).toMatchObject({
        port: Number(address.split(':').at(-1)),
        txt: { node: nodeId, cluster: clusterId, role: 'manager' },
      })
    } finally {
      await new Promise<void>((resolve) => browser.destroy(() => resolve()))
    }
  })
})
