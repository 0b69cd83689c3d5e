// Where tasks of a cluster can listen: their addresses have to be known before any of them does.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { host } from './carrier.ts'

/** Addresses of this machine that were free a moment ago. */
export async function freeAddresses(count: number): Promise<string[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, host))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const addresses = servers.map((server) => {
    const address = server.address()
    return `${host}:${typeof address === 'object' && address ? address.port : 0}`
  })
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return addresses
}
