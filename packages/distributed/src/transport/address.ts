// Addresses: which machine, which port, and whether bytes that go there ever leave this machine.
import { ConnectError, SecurityError } from '../errors.ts'

/** A host and a port. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Reads `host:port` or `[v6]:port`, that of a link-local address with its interface: `[fe80::1%eth0]:7070`. @throws ConnectError. */
export function parseAddress(address: string): Address {
  const [, v6, name, digits] =
    /^(?:\[([\da-fA-F:.]+(?:%[\w.-]+)?)\]|([^:[\]/]+)):(\d{1,5})$/.exec(address) ?? []
  const host = v6 ?? name
  const port = Number(digits)
  if (!host || !(port <= 65535))
    throw new ConnectError(`'${address}' is no address: write host:port or [v6]:port`)
  return { host, port }
}

/** `host:port`, with brackets around IPv6. */
export const formatAddress = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** Does what is sent to this host stay on this machine? */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)

/** Refuses to speak in clear to other machines. @throws SecurityError. */
export function demandLoopback(host: string): void {
  if (!isLoopback(host))
    throw new SecurityError(
      `'${host}' is another machine: without certificates only 127.0.0.1, ::1 and localhost may be used; give credentials instead of insecure`,
    )
}
