// A link is one network interface that is up, with its addresses: where a multicast is heard, and who is a neighbour.
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'

/** The two kinds of addresses, as `node:net` names them. */
export type Family = 'ipv4' | 'ipv6'

/** One address of an interface. */
export interface LinkAddress {
  readonly family: Family
  readonly address: string
  /** How many of its leading bits are those of the subnet. */
  readonly prefix: number
}

/** An interface that is up. */
export interface Link {
  /** The system's name of it: 'eth0'. */
  readonly name: string
  /** Does nothing that is sent there leave this machine? */
  readonly internal: boolean
  readonly addresses: readonly LinkAddress[]
}

/** The family of an address, without its zone; undefined for what is no address. */
export function familyOf(address: string): Family | undefined {
  if (isIPv4(address)) return 'ipv4'
  return isIPv6(withoutZone(address)) ? 'ipv6' : undefined
}

/** `fe80::1%eth0` without what comes from the percent sign on. */
export const withoutZone = (address: string): string => address.split('%', 1)[0]!

/** The interfaces of this machine that are up now, in order of their names. */
export function readLinks(): readonly Link[] {
  return Object.entries(networkInterfaces())
    .flatMap(([name, entries = []]) => {
      const addresses = entries.flatMap(({ address, cidr, family }): LinkAddress[] => {
        const prefix = Number(cidr?.split('/')[1])
        return Number.isNaN(prefix) ? [] : [{ family: family === 'IPv4' ? 'ipv4' : 'ipv6', address, prefix }]
      })
      return addresses.length > 0
        ? [{ name, internal: entries.some((entry) => entry.internal), addresses }]
        : []
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Do both say the same? */
export const sameLink = (a: Link, b: Link): boolean => JSON.stringify(a) === JSON.stringify(b)

const linkLocal = new BlockList()
linkLocal.addSubnet('fe80::', 10, 'ipv6')

/** Is this an address that means nothing without the name of an interface? */
export const isLinkLocal = (address: string): boolean =>
  isIPv6(withoutZone(address)) && linkLocal.check(withoutZone(address), 'ipv6')

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

const unusable = new BlockList()
for (const subnet of ['0.0.0.0/8', '224.0.0.0/3']) {
  const [address, prefix] = subnet.split('/')
  unusable.addSubnet(address!, Number(prefix), 'ipv4')
}
unusable.addAddress('::', 'ipv6')
unusable.addSubnet('ff00::', 8, 'ipv6')

/** IPv4 in the clothes of IPv6: a block list would take it for all of IPv4. */
const isMapped = (address: string): boolean => /^(?:0{0,4}:){2,5}ffff:/i.test(address)

/** Can a machine that was heard of over this link be connected to at this address? No for groups, for nobody, and for another machine's loopback. */
export function connectable(address: string, link: Link): boolean {
  const family = familyOf(address)
  if (!family || isMapped(address) || unusable.check(address, family)) return false
  return link.internal || !loopback.check(address, family)
}

/** Who is a neighbour on a link: answers whether an address lies in one of its subnets. */
export function neighbourhood(link: Link): (address: string) => boolean {
  const subnets = new BlockList()
  for (const { family, address, prefix } of link.addresses)
    subnets.addSubnet(withoutZone(address), prefix, family)
  return (address) => {
    const family = familyOf(address)
    if (!family) return false
    const zone = address.split('%')[1]
    if (zone !== undefined && zone !== link.name) return false
    return subnets.check(withoutZone(address), family)
  }
}
