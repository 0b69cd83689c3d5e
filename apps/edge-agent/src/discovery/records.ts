// The words of DNS-SD that nodes say of themselves, and what of a stranger's words is taken: what is whole, short and plain.
import { connectable, isLinkLocal, type Link, withoutZone } from './links.ts'
import { sameName, type ServiceRecord } from './message.ts'

/** What a node says of itself to everybody; none of it is to be believed. */
export interface Announcement {
  readonly nodeId: string
  /** The cluster that it says it is in; empty where it is in none. */
  readonly clusterId: string
  /** What it says it is there for: 'worker'. May be empty. */
  readonly role: string
  /** The version of the protocol that it speaks: '1'. */
  readonly version: string
  /** The TCP port where it says it can be connected to. */
  readonly port: number
}

/** An announcement as it was heard. */
export interface HeardAnnouncement extends Announcement {
  /** The name that DNS-SD knows it by: the node's id, or one near it where that was taken. */
  readonly instance: string
  /** The name of its host, another one for each run of a node. */
  readonly host: string
  /** IP addresses, those of link-local IPv6 with the name of the interface: `fe80::1%eth0`. At least one. */
  readonly addresses: readonly string[]
  /** Milliseconds for which it counts. */
  readonly ttlMs: number
}

/** A name as DNS-SD has it: what it is called, and the host and port that stand behind it. */
export interface Claim {
  readonly instance: string
  readonly host: string
  readonly port: number
}

/** The service of nodes. */
export const serviceType = '_shoal._tcp.local'
/** Where every kind of service is listed: RFC 6763, section 9. */
export const allServices = '_services._dns-sd._udp.local'

/** The most addresses that one node has on one link. */
export const maxAddresses = 8
/** The longest that an announcement counts, whatever it says. */
const maxTtlMs = 120_000
const maxTextBytes = 512

const identifier = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const cluster = /^(?:[0-9a-f]{64})?$/
const version = /^[A-Za-z0-9.+-]{1,32}$/
const role = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,62})?$/
const printable = /^[\x21-\x7e]+$/

/** The label of an instance: DNS-SD's instances are one label, and a dot would end it. */
export const instanceLabel = (nodeId: string, suffix: string): string =>
  nodeId.replaceAll('.', '-').slice(0, 63 - suffix.length) + suffix

/** `pi1` as `pi1._shoal._tcp.local`. */
export const instanceName = (label: string): string => `${label}.${serviceType}`

/** The records of a node on a link. With `ttlSeconds` 0 it says goodbye. */
export function recordsOf(
  said: Announcement,
  claim: Claim,
  link: Link,
  ttlSeconds: number,
): readonly ServiceRecord[] {
  const name = instanceName(claim.instance)
  const text = [
    `txtvers=1`,
    `v=${said.version}`,
    `cluster=${said.clusterId}`,
    `node=${said.nodeId}`,
    `role=${said.role}`,
  ]
  return [
    { type: 'PTR', name: serviceType, ttl: ttlSeconds, flush: false, data: name },
    serviceRecord(claim, ttlSeconds),
    { type: 'TXT', name, ttl: ttlSeconds, flush: true, data: text },
    ...link.addresses.slice(0, maxAddresses).map(({ family, address }): ServiceRecord => {
      const type = family === 'ipv4' ? 'A' : 'AAAA'
      return { type, name: claim.host, ttl: ttlSeconds, flush: true, data: withoutZone(address) }
    }),
  ]
}

/** The record that ties a name to a host and a port. */
export const serviceRecord = ({ instance, host, port }: Claim, ttlSeconds: number): ServiceRecord => ({
  type: 'SRV',
  name: instanceName(instance),
  ttl: ttlSeconds,
  flush: true,
  data: { port, target: host },
})

/** The claims of a packet's records. */
export const claimsOf = (records: readonly ServiceRecord[]): readonly Claim[] =>
  records.flatMap((record) => {
    if (record.type !== 'SRV') return []
    const instance = labelOf(record.name)
    return instance === undefined ? [] : [{ instance, host: record.data.target, port: record.data.port }]
  })

/** The label of an instance of the service; undefined for another name. */
export function labelOf(name: string): string | undefined {
  const end = name.length - serviceType.length - 1
  if (end < 1 || end > 63 || !sameName(name.slice(end), `.${serviceType}`)) return undefined
  const label = name.slice(0, end)
  return printable.test(label) ? label : undefined
}

/**
 * The announcements of a response, heard on a link: nodes say all of themselves in one packet, and what is not whole does not count.
 */
export function announcementsOf(records: readonly ServiceRecord[], link: Link): readonly HeardAnnouncement[] {
  return records.flatMap((record) => {
    if (record.type !== 'SRV' || record.ttl === 0) return []
    const instance = labelOf(record.name)
    const said = instance === undefined ? undefined : textOf(records, record.name)
    const { target: host, port } = record.data
    if (instance === undefined || !said || port === 0 || !printable.test(host)) return []
    const addresses = addressesOf(records, host, link)
    if (addresses.length === 0) return []
    return { ...said, instance, host, port, addresses, ttlMs: Math.min(record.ttl * 1000, maxTtlMs) }
  })
}

function textOf(records: readonly ServiceRecord[], name: string): Omit<Announcement, 'port'> | undefined {
  const record = records.find((one) => one.type === 'TXT' && sameName(one.name, name))
  if (record?.type !== 'TXT') return undefined
  const lines = record.data
  if (lines.reduce((sum, line) => sum + line.length + 1, 0) > maxTextBytes) return undefined
  const read = (key: string, pattern: RegExp): string | undefined => {
    const value = lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1)
    return value !== undefined && pattern.test(value) ? value : undefined
  }
  const said = {
    nodeId: read('node', identifier),
    clusterId: read('cluster', cluster),
    version: read('v', version),
    role: read('role', role),
  }
  return Object.values(said).includes(undefined) ? undefined : (said as Omit<Announcement, 'port'>)
}

function addressesOf(records: readonly ServiceRecord[], host: string, link: Link): readonly string[] {
  const found = records.flatMap((record) => {
    if ((record.type !== 'A' && record.type !== 'AAAA') || record.ttl === 0 || !sameName(record.name, host))
      return []
    if (!connectable(record.data, link)) return []
    return isLinkLocal(record.data) ? `${record.data}%${link.name}` : record.data
  })
  return [...new Set(found)].slice(0, maxAddresses)
}
