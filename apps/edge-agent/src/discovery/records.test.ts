// What nodes say, read back; and what strangers may say without being heard.
import { describe, expect, it } from 'vitest'
import type { Link } from './links.ts'
import { readMessage, type ServiceRecord, writeMessage } from './message.ts'
import { announcementsOf, instanceLabel, labelOf, recordsOf } from './records.ts'

const said = { nodeId: 'pi.1', clusterId: 'c'.repeat(64), role: 'worker', version: '1', port: 7070 }
const claim = { instance: 'pi-1', host: 'pi-1-00c0ffee.local', port: 7070 }
const ethernet: Link = {
  name: 'eth0',
  internal: false,
  addresses: [
    { family: 'ipv4', address: '192.0.2.1', prefix: 24 },
    { family: 'ipv6', address: '2001:db8::1', prefix: 64 },
    { family: 'ipv6', address: 'fe80::1', prefix: 64 },
  ],
}
const loopback: Link = {
  name: 'lo',
  internal: true,
  addresses: [{ family: 'ipv4', address: '127.0.0.1', prefix: 8 }],
}

/** What is taken of records that have travelled. */
function heard(records: readonly ServiceRecord[], link = ethernet) {
  const message = readMessage(writeMessage({ isResponse: true, answers: records }))
  return announcementsOf(message!.answers, link)
}
const whole = recordsOf(said, claim, ethernet, 20)
/** The same records, those of one type with other data. */
const altered = (type: ServiceRecord['type'], data: unknown): ServiceRecord[] =>
  whole.map((record) => (record.type === type ? ({ ...record, data } as ServiceRecord) : record))
const text = (...lines: string[]) => altered('TXT', lines)
const usual = ['v=1', `cluster=${said.clusterId}`, 'node=pi.1', 'role=worker']

describe('an announcement', () => {
  it('is read as it was said, with the interface of link-local addresses', () => {
    expect(heard(whole)).toEqual([
      { ...said, ...claim, addresses: ['192.0.2.1', '2001:db8::1', 'fe80::1%eth0'], ttlMs: 20_000 },
    ])
  })

  it('is read whatever else is in the packet, in whichever order, under names in capitals', () => {
    const other: ServiceRecord = {
      type: 'PTR',
      name: '_ipp._tcp.local',
      ttl: 9,
      flush: false,
      data: 'x.local',
    }
    const loud = whole.map((record) => ({ ...record, name: record.name.toUpperCase() }))
    expect(heard([other, ...loud.toReversed()]).map(({ nodeId }) => nodeId)).toEqual(['pi.1'])
  })

  it('counts for two minutes at most', () => {
    expect(heard(recordsOf(said, claim, ethernet, 2 ** 31)).map(({ ttlMs }) => ttlMs)).toEqual([120_000])
  })

  it('is not heard unless it is whole', () => {
    for (const type of ['SRV', 'TXT', 'A'] as const) {
      const rest = whole.filter((record) => record.type !== type && (type !== 'A' || record.type !== 'AAAA'))
      expect(heard(rest)).toEqual([])
    }
    expect(heard(recordsOf(said, claim, ethernet, 0))).toEqual([])
  })

  it('is not heard with port 0', () => {
    expect(heard(altered('SRV', { port: 0, target: claim.host }))).toEqual([])
  })

  it('is not heard with text that is long, or not plain', () => {
    expect(heard(text(...usual))).toHaveLength(1)
    expect(heard(text(...usual, ...Array(5).fill('x'.repeat(200))))).toEqual([])
    expect(heard(text('v=1', `cluster=${said.clusterId}`, 'role=worker'))).toEqual([])
    for (const bad of ['node=pi\u001b[31m', 'node=', 'node=../../etc', 'node=pi 1', `node=${'p'.repeat(64)}`])
      expect(heard(text('v=1', `cluster=${said.clusterId}`, bad, 'role=worker'))).toEqual([])
    for (const bad of ['cluster=abc', `cluster=${'C'.repeat(64)}`, `cluster=${'c'.repeat(65)}`])
      expect(heard(text('v=1', bad, 'node=pi1', 'role=worker'))).toEqual([])
    expect(heard(text('v=1\n2', `cluster=${said.clusterId}`, 'node=pi1', 'role='))).toEqual([])
  })

  it('is not heard under a name with control characters', () => {
    const odd = whole.map((record) =>
      'name' in record ? { ...record, name: record.name.replace('pi-1._shoal', 'pi\u0007._shoal') } : record,
    )
    expect(heard(odd)).toEqual([])
  })

  it('is heard without a cluster and without a role', () => {
    expect(heard(text('v=1', 'cluster=', 'node=pi1', 'role='))).toEqual([
      expect.objectContaining({ nodeId: 'pi1', clusterId: '', role: '' }),
    ])
  })

  it("does not send anybody to its own machine's loopback, to groups, or to nobody", () => {
    const at = (address: string, link: Link) =>
      heard(
        altered('A', address).filter(({ type }) => type !== 'AAAA'),
        link,
      )
    for (const address of ['127.0.0.1', '0.0.0.0', '224.0.0.251', '255.255.255.255'])
      expect(at(address, ethernet)).toEqual([])
    const sixth = (address: string) => heard(altered('AAAA', address).filter(({ type }) => type !== 'A'))
    for (const address of ['::1', '::', 'ff02::fb', '::ffff:127.0.0.1']) expect(sixth(address)).toEqual([])
    expect(at('127.0.0.1', loopback)).toHaveLength(1)
  })

  it('has eight addresses at most, each once', () => {
    const more = Array.from({ length: 30 }, (_, index): ServiceRecord => {
      return { type: 'A', name: claim.host, ttl: 20, flush: true, data: `192.0.2.${10 + (index % 15)}` }
    })
    expect(heard([...whole, ...more])[0]!.addresses).toHaveLength(8)
  })
})

describe('a packet', () => {
  it('of more records than any node sends is not read', () => {
    const flood = Array.from({ length: 129 }, () => whole[0]!)
    expect(readMessage(writeMessage({ isResponse: true, answers: flood }))).toBeUndefined()
    expect(readMessage(writeMessage({ isResponse: true, answers: flood.slice(1) }))).toBeDefined()
  })

  it('that is changed in any byte is read or not, and breaks nothing', () => {
    const bytes = writeMessage({ isResponse: true, answers: whole })
    let read = 0
    for (let at = 0; at < bytes.length; at++)
      for (const value of [0, 1, 0x3f, 0xc0, 0xff]) {
        const changed = bytes.slice()
        changed[at] = value
        const message = readMessage(changed)
        if (!message) continue
        read++
        for (const { nodeId, addresses } of announcementsOf(message.answers, ethernet)) {
          expect(nodeId).toMatch(/^[\w.-]+$/)
          expect(addresses.length).toBeGreaterThan(0)
        }
      }
    expect(read).toBeGreaterThan(0)
  })

  it('whose names point at themselves is not read', () => {
    const loop = new Uint8Array(18)
    loop.set([0, 0, 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 12, 0, 1])
    expect(readMessage(loop)).toBeUndefined()
  })

  it('shorter than a header, or longer than packets are, is not read', () => {
    expect(readMessage(new Uint8Array(11))).toBeUndefined()
    expect(readMessage(new Uint8Array(9001))).toBeUndefined()
  })
})

describe('a label', () => {
  it('is one label of 63 bytes at most, whatever the id of the node', () => {
    expect(instanceLabel('pi.local.1', '-2')).toBe('pi-local-1-2')
    expect(instanceLabel('p'.repeat(63), '-10')).toBe(`${'p'.repeat(60)}-10`)
  })

  it('is that of an instance of the service, or none', () => {
    expect(labelOf('pi1._shoal._tcp.local')).toBe('pi1')
    expect(labelOf('_shoal._tcp.local')).toBeUndefined()
    expect(labelOf('pi1._ipp._tcp.local')).toBeUndefined()
  })
})
