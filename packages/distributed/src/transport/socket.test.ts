import { transportSuite } from '@shoal/conformance/suites'
import { connect as connectClear, type Socket } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { ClusterAuthority } from '../security/authority.ts'
import type { NodeCredentials } from '../security/identity.ts'
import type { Connection } from './contract.ts'
import { SocketTransport } from './socket.ts'

const log = (): void => {}
const authority = await ClusterAuthority.create()
const credentials = await authority.issue({ node: 'n1', role: 'worker' })

const secure = (servedBytes?: number) =>
  new SocketTransport({ credentials, ...(servedBytes && { frames: { servedBytes } }) })
const clear = (servedBytes?: number) =>
  new SocketTransport({ insecure: true, log, frames: { checksums: true, ...(servedBytes && { servedBytes }) } })

async function pairOf(transport: SocketTransport) {
  const accepted = Promise.withResolvers<Connection>()
  const listener = await transport.listen('127.0.0.1:0', { connected: accepted.resolve })
  const near = await transport.connect(listener.address, { deadlineMs: 20_000 })
  return { near, far: await accepted.promise, close: () => listener.close() }
}
