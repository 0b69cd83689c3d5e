// Real packets on loopback: a machine that hears itself and a node, and one whose port another program has.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { systemClock } from '@shoal/distributed/peers'
import { afterEach, describe, expect, it } from 'vitest'
import { readLinks } from '../discovery/links.ts'
import { Mdns } from '../discovery/mdns.ts'
import { udpMedium } from '../discovery/udpMedium.ts'
import { SystemFiles } from '../machine/systemFiles.ts'
import { listenAround } from './listening.ts'
import { programsAt } from './portHolders.ts'

const links = () => readLinks().filter(({ internal }) => internal)

describe('listening around', () => {
  const ends: (() => unknown)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
  })

  /** Has a port to itself. */
  async function taken(): Promise<number> {
    const socket = createSocket('udp4').bind(0, '224.0.0.251')
    await once(socket, 'listening')
    ends.push(() => socket.close())
    return socket.address().port
  }

  it('hears its own question, and a node that answers it', async () => {
    const port = await taken()
    await ends.pop()!()
    const said = { nodeId: 'pi1', clusterId: 'a'.repeat(64), role: 'worker', version: '1', port: 7070 }
    const mdns = new Mdns(said, { medium: udpMedium({ port, links }), log() {}, changed() {} })
    ends.push(() => mdns[Symbol.asyncDispose]())
    const sounds = await listenAround({ clock: systemClock, links, port })
    expect(sounds).toMatchObject({ links: [{ announcements: [{ nodeId: 'pi1', port: 7070 }] }], faults: [] })
    expect([...sounds.links[0]!.heardItself]).toEqual(['ipv4'])
  })

  it('hears nothing at a port that another program has to itself, and knows which', async () => {
    const port = await taken()
    const sounds = await listenAround({ clock: systemClock, links, port, listenMs: 300 })
    expect(sounds.links.map(({ heardItself }) => heardItself.size)).toEqual([0])
    expect(sounds.faults).toEqual([expect.stringMatching(/^lo ipv4: .*EADDRINUSE/)])
    expect(programsAt(port, new SystemFiles())).toHaveLength(1)
  })
})
