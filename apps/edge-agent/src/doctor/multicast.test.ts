// What is made of sounds that are made up; real ones are heard in listening.test.ts.
import { describe, expect, it } from 'vitest'
import type { HeardAnnouncement } from '../discovery/records.ts'
import { SystemFiles } from '../machine/systemFiles.ts'
import { TemporaryFolder, type Tree } from '../testing/machineTrees.ts'
import type { LinkSounds } from './listening.ts'
import { findingsOf } from './multicast.ts'
import { node, patient, report } from './testing/patients.ts'

const link = {
  name: 'eth0',
  internal: false,
  addresses: [
    { family: 'ipv4', address: '10.0.0.1', prefix: 24 },
    { family: 'ipv6', address: 'fe80::1', prefix: 64 },
  ],
} as const
const self = node('pi1', { state: 'self' })
/** What an announcement of a node says. */
const said = (nodeId: string, changes: Partial<HeardAnnouncement> = {}): HeardAnnouncement => ({
  nodeId,
  clusterId: self.clusterId,
  role: 'worker',
  version: '1',
  port: 7070,
  instance: nodeId,
  host: `${nodeId}.local`,
  addresses: [`10.0.0.${nodeId.slice(2)}`],
  ttlMs: 1000,
  ...changes,
})
const heard = (changes: Partial<LinkSounds> = {}): LinkSounds => ({
  link,
  heardItself: new Set(['ipv4', 'ipv6']),
  announcements: [said('pi1'), said('pi2')],
  ...changes,
})

/** Interfaces as the kernel tells of them: up, broadcast, running, and multicast where that is on. */
const flags = (value: string, name = 'eth0'): Tree => ({ [`sys/class/net/${name}/flags`]: `${value}\n` })

function says(
  sounds: { readonly links: readonly LinkSounds[]; readonly faults?: readonly string[] },
  changes: Parameters<typeof patient>[0] = {},
  tree = flags('0x1043'),
) {
  using folder = new TemporaryFolder(tree)
  return findingsOf({ faults: [], ...sounds }, patient(changes), new SystemFiles(folder.path)).map(
    ({ verdict, what, remedy }) => `${verdict}: ${what}${remedy && ` → ${remedy}`}`,
  )
}

describe('the examination of multicast', () => {
  it('names those who are heard', () => {
    expect(says({ links: [heard()] })).toEqual(['good: eth0 passes multicast; heard there: pi2'])
    expect(says({ links: [heard()] }, {}, {})).toHaveLength(1)
  })

  it('is content with one of two families, and says which', () => {
    const links = [heard({ heardItself: new Set(['ipv4']), announcements: [] })]
    const alone = { report: report({ nodes: [self] }) }
    expect(says({ links, faults: ['eth0 ipv6: send EADDRNOTAVAIL'] }, alone)).toEqual([
      'good: eth0 passes multicast, by ipv4 only (eth0 ipv6: send EADDRNOTAVAIL)',
    ])
  })

  it('finds interfaces that pass none', () => {
    expect(says({ links: [heard()] }, {}, flags('0x43'))).toEqual([
      expect.stringMatching(/^fault: eth0 is up without multicast.* → sudo ip link set eth0 multicast on/),
    ])
    expect(says({ links: [heard()] }, {}, flags('0x91'))).toEqual([
      expect.stringMatching(/^unknown: eth0 is a tunnel/),
    ])
    expect(says({ links: [heard({ link: { ...link, internal: true } })] })).toEqual([
      expect.stringMatching(/^fault: no network interface of this machine is up but its loopback/),
    ])
  })

  it('finds a firewall where it does not even hear itself', () => {
    expect(says({ links: [heard({ heardItself: new Set() })] })).toEqual([
      expect.stringMatching(
        /^fault: this machine does not hear its own multicast on eth0 → a firewall drops it/,
      ),
    ])
  })

  it('finds another program at the port', () => {
    const faults = ['eth0 ipv4: bind EADDRINUSE 224.0.0.251:5353']
    expect(says({ links: [heard({ heardItself: new Set() })], faults })).toEqual([
      expect.stringMatching(/^fault: .* → another program keeps port 5353 for itself/),
    ])
  })

  it('knows that the agent has troubles of its own', () => {
    const { status } = report()
    const troubled = report({ status: { ...status, discoveryFaults: ['eth0 ipv4: send EPERM'] } })
    expect(says({ links: [heard()] }, { report: troubled })).toContainEqual(
      expect.stringMatching(/^fault: the agent cannot use multicast on eth0 ipv4: send EPERM → a firewall/),
    )
  })

  it('misses those who are connected over that network', () => {
    expect(says({ links: [heard({ announcements: [] })] })).toEqual([
      'good: eth0 passes multicast',
      expect.stringMatching(/^unknown: 'pi2' is connected over eth0, and does not announce itself there/),
    ])
  })

  it('knows a copy of itself by its address or its port', () => {
    for (const copy of [{ addresses: ['10.0.0.99'] }, { port: 7071 }])
      expect(says({ links: [heard({ announcements: [said('pi2'), said('pi1', copy)] })] })).toContainEqual(
        expect.stringMatching(
          /^fault: another node says that it is 'pi1' too, at .* the state folder was copied/,
        ),
      )
  })
})
