// Addresses of the internet as few bytes: what a code has room for.
import { isIPv4, isIPv6 } from 'node:net'
import { formatAddress, parseAddress } from '@shoal/distributed/peers'

/** Bytes of an address with its port, by family. */
export const addressSizes = { v4: 6, v6: 18 }

/**
 * `host:port` as 6 or 18 bytes: the address and the port, the highest byte first. Undefined for names of hosts, and for addresses that say
 * something on their own link only.
 * @throws ConnectError for what is no address.
 */
export function addressBytes(address: string): Uint8Array | undefined {
  const { host, port } = parseAddress(address)
  const portBytes = [port >> 8, port & 255]
  if (isIPv4(host)) return Uint8Array.of(...host.split('.').map(Number), ...portBytes)
  if (!isIPv6(host) || /^fe[89ab]/i.test(host)) return undefined
  // As the URL standard writes it: groups of digits only, one gap at most.
  const { hostname } = new URL(`http://[${host}]/`)
  const [before = [], after] = hostname
    .slice(1, -1)
    .split('::')
    .map((part) => (part === '' ? [] : part.split(':')))
  const gap = after ? Array.from({ length: 8 - before.length - after.length }, () => '0') : []
  const groups = [...before, ...gap, ...(after ?? [])].map((digits) => Number.parseInt(digits, 16))
  return Uint8Array.of(...groups.flatMap((group) => [group >> 8, group & 255]), ...portBytes)
}

/** The reverse of `addressBytes`. */
export function addressOf(bytes: Uint8Array): string {
  const port = (bytes.at(-2)! << 8) | bytes.at(-1)!
  const host = bytes.subarray(0, -2)
  if (host.length === 4) return formatAddress({ host: host.join('.'), port })
  const groups = Array.from({ length: 8 }, (_, i) => ((host[2 * i]! << 8) | host[2 * i + 1]!).toString(16))
  const { hostname } = new URL(`http://[${groups.join(':')}]/`)
  return `${hostname}:${port}`
}
