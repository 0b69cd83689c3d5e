// Certificates that end while they are in use.
import { afterAll, describe, expect, it } from 'vitest'
import { ClusterAuthority } from '../security/authority.ts'
import type { NodeCredentials } from '../security/identity.ts'
import { RenewableCredentials } from '../security/renewable.ts'
import type { Connection, Transport } from './contract.ts'
import { SocketTransport } from './socket.ts'
import { ThreadedTransport } from './threadedTransport.ts'
import { WebSocketTransport } from './webSocketTransport.ts'

const deadlineMs = 20_000
const empty = { head: new Uint8Array(0), tensors: [] }
const authority = await ClusterAuthority.create()

/** A certificate that ends in three or four seconds: they know no parts of a second. */
const endingSoon = (node: string): Promise<NodeCredentials> =>
  authority.issue({ node, role: 'worker', from: new Date(Date.now() - 60_000), forMs: 64_000 })
const lasting = (node: string): Promise<NodeCredentials> => authority.issue({ node, role: 'worker' })

const threads: AsyncDisposable[] = []
afterAll(() => Promise.all(threads.map((thread) => thread[Symbol.asyncDispose]())))

const transports: readonly [string, (credentials: RenewableCredentials) => Transport][] = [
  ['sockets', (credentials) => new SocketTransport({ credentials })],
  [
    'sockets of another thread',
    (credentials) => {
      const transport = new ThreadedTransport({ credentials })
      threads.push(transport)
      return transport
    },
  ],
  ['WebSockets', (credentials) => new WebSocketTransport({ credentials })],
]

describe.concurrent.each(transports)('certificates of %s', (_, transportOf) => {
  it('are renewed for connections that follow, and end those that there were', async ({ expect }) => {
    const [mine, theirs] = [
      new RenewableCredentials(await lasting('n1')),
      new RenewableCredentials(await lasting('n2')),
    ]
    const [near, far] = [transportOf(mine), transportOf(theirs)]
    const accepted: Connection[] = []
    const listener = await far.listen('127.0.0.1:0', {
      connected(connection) {
        accepted.push(connection)
        connection.serve({ echo: async (message) => message, wait: () => new Promise(() => {}) })
      },
    })
    const connect = () => near.connect(listener.address, { deadlineMs })
    await (await connect()).close()
    mine.renew(await endingSoon('n1'))
    theirs.renew(await endingSoon('n2'))
    const before = await connect()
    const waiting = before.call('wait', empty, { deadlineMs }).catch((error: unknown) => error)
    mine.renew(await lasting('n1'))
    theirs.renew(await lasting('n2'))
    const after = await connect()

    expect(await waiting).toMatchObject({
      name: 'ConnectionLostError',
      message: expect.stringMatching(/the certificate of worker 'n[12]' has expired/),
    })
    expect((await before.closed)?.message).toMatch(/has expired/)
    expect((await accepted[1]!.closed)?.message).toMatch(/has expired/)
    // As after any other loss: whoever needs a connection makes one.
    for (const connection of [after, await connect()]) {
      await connection.call('echo', empty, { deadlineMs })
      expect(connection.peer).toMatchObject({ node: 'n2' })
      expect(connection.peer.expiresAt).toBeGreaterThan(Date.now() + 3_600_000)
    }
    expect(accepted[2]!.peer.expiresAt).toBeGreaterThan(Date.now() + 3_600_000)
    await after.close()
    await listener.close()
  })
})

describe('a certificate that nobody renewed', () => {
  it('opens no connection after its end, which another one may do later', async () => {
    const refused = Promise.withResolvers<Error>()
    const lasts = new SocketTransport({ credentials: await lasting('n2') })
    const ends = new SocketTransport({ credentials: await endingSoon('n1') })
    const listener = await lasts.listen('127.0.0.1:0', { connected: () => {}, refused: refused.resolve })
    const late = await ends.listen('127.0.0.1:0', { connected: () => {} })
    const connection = await ends.connect(listener.address, { deadlineMs })
    await connection.closed
    await expect(ends.connect(listener.address, { deadlineMs })).rejects.toMatchObject({
      name: 'ConnectError',
    })
    expect((await refused.promise).message).toMatch(/^the certificate of 'n1' is valid .* which is not now$/)
    await expect(lasts.connect(late.address, { deadlineMs })).rejects.toMatchObject({
      name: 'ConnectError',
      message: expect.stringMatching(/ is refused: the certificate of 'n1' is valid .* which is not now$/),
    })
    await Promise.all([listener.close(), late.close()])
  })
})
