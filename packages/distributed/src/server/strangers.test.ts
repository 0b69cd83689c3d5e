// Two clusters on one machine whose addresses were mixed up, and visitors that have no business there.
import { device, mul, placeholder, reference, type Session, variable } from '@shoal/core'
import { once } from 'node:events'
import { connect as connectSecure } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import type { ClusterDef } from '../cluster/clusterSpec.ts'
import { ServerDef } from '../cluster/serverDef.ts'
import { callMethod } from '../protocol/method.ts'
import { getWatch } from '../protocol/server.ts'
import { ClusterAuthority } from '../security/authority.ts'
import type { NodeCredentials } from '../security/identity.ts'
import { freeAddresses } from '../testing/freeAddresses.ts'
import { SocketTransport } from '../transport/socket.ts'
import { Server } from './server.ts'
import { startServer } from './startServer.ts'

const open = new AsyncDisposableStack()
afterAll(() => open.disposeAsync())

const [one, two] = await Promise.all([ClusterAuthority.create(), ClusterAuthority.create()])
const [psOne, psTwo, workerOne, workerTwo, mixed] = (await freeAddresses(5)) as [
  string,
  string,
  string,
  string,
  string,
]

/** A server of either cluster, whose sockets are in this thread. */
async function start(authority: ClusterAuthority, cluster: ClusterDef, job: string): Promise<Server> {
  const credentials = await authority.issue({ node: `${job}-of-test`, role: job })
  const def = new ServerDef({ cluster, job, task: 0 })
  return open.use(
    await Server.start(def, { devices: [reference()], transport: new SocketTransport({ credentials }) }),
  )
}

/** Runs a step over a worker and a parameter server. */
async function works(session: Session, input: number): Promise<boolean> {
  const x = placeholder({ shape: [], name: 'x' })
  const made = device('/job:worker/task:0', () => mul(x, 2))
  const w = device('/job:ps/task:0', () => variable(0, { name: 'w' }))
  await session.run(w.assign(made), { x: input })
  return (await session.run(w)).number() === 2 * input
}

/** What the server that is visited says. */
const lines: string[] = []
const refusals = (): string[] => lines.filter((line) => line.includes('refused'))
const servers = { ps: [psTwo], worker: [workerTwo] }
open.use(
  await startServer(new ServerDef({ cluster: servers, job: 'ps', task: 0 }), {
    devices: [reference()],
    credentials: await two.issue({ node: 'ps-of-two', role: 'ps' }),
    log: (line) => lines.push(line),
  }),
)

describe('two clusters on one machine', () => {
  it('do not mix where addresses are mixed up, and both go on', async () => {
    const first = { ps: [psOne], worker: [workerOne] }
    await start(one, first, 'ps')
    await using sessionOne = await (await start(one, first, 'worker')).session()
    await using sessionTwo = await (await start(two, servers, 'worker')).session()
    expect([await works(sessionOne, 3), await works(sessionTwo, 4)]).toEqual([true, true])

    // A worker of the one is told the address of a parameter server of the other.
    const lost = await start(one, { ps: [psTwo], worker: [mixed] }, 'worker')
    const before = lines.length
    for (let attempt = 0; attempt < 3; attempt++)
      await expect(lost.session()).rejects.toMatchObject({
        name: 'SecurityError',
        message: `${psTwo} is refused: the certificate of 'ps-of-two' was not issued by the authority of this cluster, ${one.cluster}: it names cluster ${two.cluster}`,
      })
    expect([await works(sessionOne, 5), await works(sessionTwo, 6)]).toEqual([true, true])
    expect(lines.slice(before)).toEqual([
      '/job:ps/task:0: refused a connection: a peer was refused: it hung up in the handshake, as those do who refuse this node',
    ])
  })
})

describe('a visitor', () => {
  /** Shows a certificate, or none, and waits until the door is shut. */
  async function knock(address: string, protocol: string, shown?: NodeCredentials): Promise<void> {
    const [host, port] = address.split(':')
    const socket = connectSecure({
      host,
      port: Number(port),
      ALPNProtocols: [protocol],
      rejectUnauthorized: false,
      ...(shown && { cert: shown.certificate, key: shown.privateKey }),
    })
    socket.on('error', () => {}).resume()
    await once(socket, 'close')
  }

  it('that shows nothing good is refused on either plane, in one line that says why', async () => {
    const transport = new SocketTransport({ credentials: await two.issue({ node: 'guide', role: 'client' }) })
    const guide = await transport.connect(psTwo, { deadlineMs: 20_000 })
    const { says } = await callMethod(guide, getWatch, {}, { deadlineMs: 20_000 })
    await guide.close()
    const hour = 3_600_000
    const past = { from: new Date(Date.now() - 2 * hour), forMs: hour }
    const visitors: readonly [NodeCredentials | undefined, RegExp][] = [
      [await one.issue({ node: 'stranger' }), /'stranger' was not issued by the authority of this cluster/],
      [await two.issue({ node: 'late', ...past }), /'late' is valid from .* which is not now/],
      [undefined, /the peer showed no certificate/],
    ]
    const planes = [
      [psTwo, 'shoal/1', 'refused a connection'],
      [`127.0.0.1:${says.port}`, 'h2', 'refused signs of life'],
    ] as const
    for (const [address, protocol, what] of planes)
      for (const [shown, why] of visitors) {
        const before = refusals().length
        await knock(address, protocol, shown)
        await knock(address, protocol, shown)
        await expect.poll(() => refusals().length, { timeout: 20_000 }).toBeGreaterThan(before)
        expect(refusals().slice(before)).toEqual([
          expect.stringMatching(`^/job:ps/task:0: ${what}: .*${why.source}`),
        ])
      }
  })

  it('with a certificate for another job does not start', async () => {
    const credentials = await two.issue({ node: 'w', role: 'worker' })
    const starting = startServer(new ServerDef({ cluster: servers, job: 'ps', task: 0 }), {
      devices: [reference()],
      credentials,
    })
    await expect(starting).rejects.toThrow("worker 'w' may not be /job:ps/task:0")
  })
})
