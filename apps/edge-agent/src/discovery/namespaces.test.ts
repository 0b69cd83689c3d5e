// Nodes on machines of their own, as far as the kernel can tell: real multicast, real certificates, cables that are pulled, processes that are killed.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { ClusterAuthority, SocketTransport } from '@shoal/distributed/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NamespaceNetwork, whyNoNamespaces } from '../testing/namespaces.ts'
import { Mdns, type Sighting, Sightings, udpMedium } from './index.ts'

const missing = whyNoNamespaces()
const ttlSeconds = 2

/** A node: it listens, is found, finds, and prints its list and its links whenever those change. */
const program = (settings: object): string => `
  import { SocketTransport } from '@shoal/distributed/node'
  import { Mdns, Sightings, udpMedium } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
  const { nodeId, clusterId, credentials, ttlSeconds } = ${JSON.stringify(settings)}
  const transport = new SocketTransport({ credentials })
  const sightings = new Sightings({ self: { nodeId, clusterId }, reach: (...to) => transport.connect(...to) })
  const listener = await transport.listen('0.0.0.0:0', { connected: (connection) => sightings.accept(connection) })
  const port = Number(listener.address.split(':').at(-1))
  const print = () =>
    console.log(JSON.stringify({ peers: sightings.peers, links: mdns.links.map(({ name }) => name) }))
  const mdns = new Mdns({ nodeId, clusterId, role: 'worker', version: '1', port }, {
    ttlSeconds,
    log() {},
    medium: udpMedium({ pollMs: 100, uses: ({ internal }) => !internal }),
    changed() { sightings.observe(mdns.peers); print() },
  })
  sightings.subscribe(print)
  process.on('SIGTERM', async () => {
    await mdns[Symbol.asyncDispose]()
    process.exit(0)
  })
`

/** What a node prints. */
interface View {
  readonly peers: readonly Sighting[]
  readonly links: readonly string[]
}

describe.skipIf(missing)(`between network namespaces${missing ? ` (${missing})` : ''}`, () => {
  let network: NamespaceNetwork
  let authority: ClusterAuthority
  const children = new Map<string, ChildProcess>()
  let desk: { readonly mdns: Mdns; readonly sightings: Sightings }
  let waiting: { readonly is: () => boolean; readonly resolve: () => void }[] = []
  const views = new Map<string, View>()

  const look = (): void => {
    for (const { is, resolve } of waiting) if (is()) resolve()
    waiting = waiting.filter(({ is }) => !is())
  }
  /** Settles when that is so, which is looked at whenever any node tells something. */
  const until = (is: () => boolean): Promise<void> =>
    is() ? Promise.resolve() : new Promise((resolve) => void waiting.push({ is, resolve }))
  const at = (peers: readonly Sighting[] | undefined, nodeId: string) =>
    peers?.find((peer) => peer.nodeId === nodeId)
  const here = (nodeId: string) => at(desk.sightings.peers, nodeId)
  const there = (machine: string, nodeId: string) => at(views.get(machine)?.peers, nodeId)

  async function start(machine: number): Promise<void> {
    const nodeId = `pi${machine}`
    const credentials = await authority.issue({ node: nodeId, role: 'worker' })
    const code = program({ nodeId, clusterId: authority.cluster, credentials, ttlSeconds })
    const args = ['--conditions=@shoal/source', '--input-type=module', '--eval', code]
    const [command, ...rest] = network.on(machine, process.execPath, ...args)
    const child = spawn(command, rest, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
    children.set(nodeId, child)
    createInterface(child.stdout).on('line', (line) => {
      views.set(nodeId, JSON.parse(line) as View)
      look()
    })
  }

  beforeAll(async () => {
    network = new NamespaceNetwork(2)
    authority = await ClusterAuthority.create()
    const transport = new SocketTransport({
      credentials: await authority.issue({ node: 'desk', role: 'worker' }),
    })
    const self = { nodeId: 'desk', clusterId: authority.cluster }
    const sightings = new Sightings({ self, reach: (...to) => transport.connect(...to), firstPauseMs: 200 })
    const address = `${network.address(254)}:0`
    const listener = await transport.listen(address, { connected: (peer) => sightings.accept(peer) })
    const port = Number(listener.address.split(':').at(-1))
    const mdns = new Mdns(
      { ...self, role: 'worker', version: '1', port },
      {
        ttlSeconds,
        log() {},
        medium: udpMedium({ pollMs: 100, uses: ({ name }) => name === network.bridge }),
        changed() {
          sightings.observe(mdns.peers)
          look()
        },
      },
    )
    sightings.subscribe(look)
    desk = { mdns, sightings }
    await Promise.all([start(1), start(2)])
  })

  afterAll(async () => {
    for (const child of children.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await desk.mdns[Symbol.asyncDispose]()
    await desk.sightings[Symbol.asyncDispose]()
    network[Symbol.dispose]()
  })

  it('all find and trust each other', async () => {
    await until(() => ['pi1', 'pi2'].every((nodeId) => here(nodeId)?.sources.length === 1))
    await until(() => ['pi1', 'pi2'].every((nodeId) => here(nodeId)?.state === 'trusted'))
    await until(() => there('pi1', 'pi2')?.state === 'trusted' && there('pi2', 'pi1')?.state === 'trusted')
    await until(() => there('pi1', 'desk')?.state === 'trusted' && there('pi2', 'desk')?.state === 'trusted')
    expect(here('pi1')).toMatchObject({ role: 'worker', sources: [`mdns ${network.bridge}`] })
    expect(here('pi1')!.addresses.map(({ address }) => address.split(':')[0])).toContain(network.address(1))
  })

  it('one whose cable is pulled is gone, says so itself, and is back with the cable', async () => {
    network.setUp(1, false)
    await until(() => views.get('pi1')!.links.length === 0)
    await until(() => here('pi1')?.state !== 'trusted')
    expect(here('pi2')!.state).toBe('trusted')
    network.setUp(1, true)
    await until(() => here('pi1')?.state === 'trusted')
    await until(() => there('pi1', 'pi2')?.state === 'trusted')
    expect(views.get('pi1')!.links).toEqual(['eth0'])
  })

  it('one that ends says goodbye', async () => {
    children.get('pi1')!.kill('SIGTERM')
    await until(() => here('pi1') === undefined)
    // Other tests may have nodes of theirs on this machine.
    expect(desk.mdns.peers.map(({ nodeId }) => nodeId).filter((id) => children.has(id))).toEqual(['pi2'])
  })

  it('one that is killed is found dead by its connection, refuses another, and is forgotten when its time is over', async () => {
    const problems: string[] = []
    const stop = desk.sightings.subscribe(() => {
      for (const { problem } of here('pi2')?.addresses ?? []) if (problem) problems.push(problem.kind)
    })
    children.get('pi2')!.kill('SIGKILL')
    await until(() => here('pi2')?.state === 'seen')
    await until(() => here('pi2') === undefined)
    stop()
    expect(problems).toContain('refused')
  })
})
