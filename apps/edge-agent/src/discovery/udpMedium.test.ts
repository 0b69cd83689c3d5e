// Real packets on this machine's loopback: two nodes, a program by others, an interface that comes and goes.
import { once } from 'node:events'
import { createSocket } from 'node:dgram'
import Bonjour from 'bonjour-service'
import { afterEach, describe, expect, it } from 'vitest'
import { type Link, readLinks } from './links.ts'
import { Mdns, type MdnsOptions } from './mdns.ts'
import type { Announcement } from './records.ts'
import { udpMedium, type UdpOptions } from './udpMedium.ts'

const clusterId = 'a'.repeat(64)
const uses = (link: Link): boolean => link.internal
const announcement = (nodeId: string, port = 7070): Announcement => {
  return { nodeId, clusterId, role: 'worker', version: '1', port }
}

/** A port that no other test on this machine uses at this moment. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

describe('on loopback', () => {
  const ends: (() => unknown)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end()
  })

  function start(said: Announcement, port: number, more: Partial<MdnsOptions & UdpOptions> = {}) {
    let changed = (): void => {}
    const { links = readLinks, pollMs = 2000, ...options } = more
    const medium = udpMedium({ port, uses, links, pollMs })
    const mdns = new Mdns(said, { medium, log() {}, changed: () => changed(), ...options })
    ends.push(() => mdns[Symbol.asyncDispose]())
    /** Settles when the names that are seen are these. */
    const sees = (...names: string[]): Promise<void> =>
      new Promise((resolve) => {
        changed = () => {
          const now = mdns.peers.map(({ instance }) => instance).toSorted()
          if (JSON.stringify(now) === JSON.stringify(names)) resolve()
        }
        changed()
      })
    return { mdns, sees }
  }

  it('two nodes see each other, and that one says goodbye', async () => {
    const port = await freePort()
    const [a, b] = [start(announcement('pi1'), port), start(announcement('pi2', 7071), port)]
    await Promise.all([a.sees('pi2'), b.sees('pi1')])
    expect(a.mdns.peers).toMatchObject([
      {
        nodeId: 'pi2',
        clusterId,
        port: 7071,
        interface: 'lo',
        addresses: expect.arrayContaining(['127.0.0.1']),
      },
    ])
    expect(a.mdns.faults).toEqual([])
    await b.mdns[Symbol.asyncDispose]()
    await a.sees()
  })

  it('an interface that goes is left, and found again when it comes back', async () => {
    const port = await freePort()
    let up = true
    const links = (): readonly Link[] => (up ? readLinks() : [])
    const [a, b] = [start(announcement('pi1'), port, { links, pollMs: 20 }), start(announcement('pi2'), port)]
    await Promise.all([a.sees('pi2'), b.sees('pi1')])
    up = false
    await a.sees()
    expect(a.mdns.faults).toEqual(['no network interface is up'])
    up = true
    await a.sees('pi2')
  })

  it("a client by others finds a node with its text, and a node is not troubled by others' services", async () => {
    const port = await freePort()
    const a = start(announcement('pi1', 7075), port)
    // Its types leave out what it hands on to its sockets.
    const settings = { interface: '127.0.0.1', bind: '0.0.0.0', port }
    const bonjour = new Bonjour(settings)
    ends.push(() => new Promise<void>((resolve) => bonjour.destroy(() => resolve())))
    bonjour.publish({ name: 'a printer', type: 'ipp', port: 631, host: 'printer.local' })
    bonjour.publish({ name: 'odd', type: 'shoal', port: 7, host: 'odd.local' })
    const found = await new Promise((resolve) => {
      bonjour.find({ type: 'shoal' }, (service) => {
        if (service.name === 'pi1') resolve(service)
      })
    })
    expect(found).toMatchObject({
      name: 'pi1',
      port: 7075,
      type: 'shoal',
      protocol: 'tcp',
      txt: { txtvers: '1', v: '1', cluster: clusterId, node: 'pi1', role: 'worker' },
      addresses: expect.arrayContaining(['127.0.0.1']),
    })
    expect(a.mdns.peers).toEqual([])
  })

  it('a port that another program keeps for itself is a fault that says so', async () => {
    const taken = createSocket('udp4').bind(0, '224.0.0.251')
    await once(taken, 'listening')
    ends.push(() => taken.close())
    const fault = await new Promise((resolve) => {
      start(announcement('pi1'), taken.address().port, { log: resolve, pollMs: 20 })
    })
    expect(fault).toMatch(/^discovery does not work on lo ipv4: .*EADDRINUSE/)
  })
})
