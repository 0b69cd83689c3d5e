// Which addresses are neighbours on a link, and which a stranger may send us to.
import { describe, expect, it } from 'vitest'
import { connectable, familyOf, isLinkLocal, type Link, neighbourhood, readLinks } from './links.ts'

const link: Link = {
  name: 'eth0',
  internal: false,
  addresses: [
    { family: 'ipv4', address: '10.1.2.3', prefix: 20 },
    { family: 'ipv6', address: 'fe80::1', prefix: 64 },
  ],
}

describe('a link', () => {
  it('has for neighbours those of its subnets, on its own interface', () => {
    const isNeighbour = neighbourhood(link)
    const near = ['10.1.0.1', '10.1.15.254', 'fe80::99%eth0']
    const far = ['10.1.16.1', '127.0.0.1', 'fe80::99%wlan0', '2001:db8::1', 'pi1.local', '']
    expect(near.map(isNeighbour)).toEqual(near.map(() => true))
    expect(far.map(isNeighbour)).toEqual(far.map(() => false))
  })

  it('of this machine has the loopback, which is internal', () => {
    const internal = readLinks().filter((one) => one.internal)
    expect(internal.flatMap(({ addresses }) => addresses)).toContainEqual({
      family: 'ipv4',
      address: '127.0.0.1',
      prefix: 8,
    })
  })
})

describe('an address', () => {
  it('has a family, with a zone or without', () => {
    const asked = ['192.0.2.1', '::1', 'fe80::1%eth0', 'pi1.local', '300.1.1.1']
    expect(asked.map(familyOf)).toEqual(['ipv4', 'ipv6', 'ipv6', undefined, undefined])
  })

  it('may be connected to where it is of one machine, and not the loopback of another', () => {
    for (const address of ['192.0.2.1', '169.254.1.1', '2001:db8::1', 'fe80::1'])
      expect(connectable(address, link)).toBe(true)
    for (const address of ['127.0.0.1', '::1', '0.0.0.0', '239.1.1.1', 'ff02::1', '::ffff:10.0.0.1', 'x'])
      expect(connectable(address, link)).toBe(false)
  })

  it('is link-local below fe80::/10', () => {
    expect(['fe80::1', 'febf::1%x', 'fec0::1', '169.254.0.1'].map(isLinkLocal)).toEqual([
      true,
      true,
      false,
      false,
    ])
  })
})
