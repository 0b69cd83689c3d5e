import { openProxy, type PairOptions, transportSuite } from '@shoal/conformance/transports'
import { once } from 'node:events'
import { type AddressInfo, connect as connectClear, createServer } from 'node:net'
import { connect as connectSecure, type ConnectionOptions } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { ClusterAuthority } from '../security/authority.ts'
import type { Connection, Transport } from './contract.ts'
import { SocketTransport } from './socket.ts'

const log = (): void => {}
const deadlineMs = 20_000
const empty = { head: new Uint8Array(0), tensors: [] }
const authority = await ClusterAuthority.create()
const credentials = await authority.issue({ node: 'n1', role: 'worker' })

async function pairOf(transport: Transport, { mortal }: PairOptions = {}) {
  const accepted = Promise.withResolvers<Connection>()
  const listener = await transport.listen('127.0.0.1:0', { connected: accepted.resolve })
  const proxy = await openProxy(listener.address)
  const near = await transport.connect((mortal ? proxy : listener).address, { deadlineMs })
  const close = async (): Promise<void> => {
    await Promise.all([proxy.close(), listener.close()])
  }
  return { near, far: await accepted.promise, close, kill: proxy.kill, stall: proxy.stall }
}
const served = ({ servedBytes }: PairOptions = {}) => (servedBytes === undefined ? {} : { servedBytes })

transportSuite('sockets in clear, with checksums', (options) =>
  pairOf(
    new SocketTransport({ insecure: true, log, frames: { checksums: true, ...served(options) } }),
    options,
  ),
)
transportSuite('sockets under TLS', (options) =>
  pairOf(new SocketTransport({ credentials, frames: served(options) }), options),
)

/** Listens, lets `visit` come, and answers with the error that its peer was refused with. */
async function refusal(transport: Transport, visit: (port: number) => void | Promise<void>): Promise<Error> {
  const refused = Promise.withResolvers<Error>()
  const listener = await transport.listen('127.0.0.1:0', {
    connected: () => refused.reject(new Error('let in')),
    refused: refused.resolve,
  })
  await visit(Number(listener.address.split(':')[1]))
  const error = await refused.promise
  await listener.close()
  return error
}

describe('sockets under TLS', () => {
  const tls = new SocketTransport({ credentials })
  const ALPNProtocols = ['shoal/1']

  it('know the peer by its certificate', async () => {
    const { near, far, close } = await pairOf(tls)
    const identity = { cluster: authority.cluster, node: 'n1', role: 'worker' }
    expect([near.peer, far.peer]).toMatchObject([identity, identity])
    await near.close()
    await close()
  })

  /** What a handshake of another making comes to, on both sides. */
  async function stranger(
    options: ConnectionOptions,
  ): Promise<{ readonly error: Error; readonly ended: string }> {
    const ended = Promise.withResolvers<string>()
    const error = await refusal(tls, (port) => {
      const socket = connectSecure({
        port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ALPNProtocols,
        ...options,
      })
      let received = 0
      socket.on('data', ({ length }) => (received += length))
      socket.on('error', () => {})
      socket.once('close', () => ended.resolve(received === 0 ? 'without a byte' : 'with an answer'))
    })
    return { error, ended: await ended.promise }
  }
  const refused = { error: { name: 'SecurityError' }, ended: 'without a byte' }

  it('refuse a peer without a certificate', async () => {
    expect(await stranger({})).toMatchObject(refused)
  })

  it('refuse a node of another cluster, even one that trusts this one', async () => {
    const elsewhere = await ClusterAuthority.create()
    const { certificate: cert, privateKey: key } = await elsewhere.issue({ node: 'n2' })
    const { error, ended } = await stranger({ cert, key })
    expect({ error, ended }).toMatchObject(refused)
    expect(error.message).toBe(
      `the certificate of 'n2' was not issued by the authority of this cluster, ${authority.cluster}: it names cluster ${elsewhere.cluster}`,
    )
  })

  it('refuse a certificate whose time is over', async () => {
    const from = new Date(Date.now() - 7_200_000)
    const { certificate: cert, privateKey: key } = await authority.issue({
      node: 'n1',
      from,
      forMs: 3_600_000,
    })
    expect(await stranger({ cert, key })).toMatchObject({ ...refused, error: { name: 'ValidityError' } })
    expect(
      () =>
        new SocketTransport({
          credentials: { certificate: cert, privateKey: key, authority: authority.certificate },
        }),
    ).toThrow('which is not now')
  })

  it('refuse older versions of TLS, and other protocols', async () => {
    const { certificate: cert, privateKey: key } = credentials
    expect(await stranger({ cert, key, maxVersion: 'TLSv1.2' })).toMatchObject(refused)
    expect(await stranger({ cert, key, ALPNProtocols: ['h2'] })).toMatchObject(refused)
    expect(await stranger({ cert, key, ALPNProtocols: [] })).toMatchObject(refused)
  })

  it('do not speak with a server of another cluster', async () => {
    const elsewhere = await ClusterAuthority.create()
    const other = new SocketTransport({ credentials: await elsewhere.issue({ node: 'n2' }) })
    let error: unknown
    const theirs = await refusal(other, async (port) => {
      error = await tls.connect(`127.0.0.1:${port}`, { deadlineMs }).catch((thrown: unknown) => thrown)
    })
    expect(error).toMatchObject({
      name: 'SecurityError',
      message: expect.stringMatching(
        `127.0.0.1:\\d+ is refused: the certificate of 'n2' was not issued by the authority of this cluster, ${authority.cluster}: it names cluster ${elsewhere.cluster}`,
      ),
    })
    // A stranger is not told who we are.
    expect(theirs.message).toBe(
      'a peer was refused: it hung up in the handshake, as those do who refuse this node',
    )
  })

  it('refuse clear text, and are refused by those who speak it', async () => {
    const clear = new SocketTransport({ insecure: true, log })
    const greet = (transport: Transport) => async (port: number) => {
      await expect(transport.connect(`127.0.0.1:${port}`, { deadlineMs })).rejects.toMatchObject({
        name: 'ConnectError',
      })
    }
    expect(await refusal(tls, greet(clear))).toMatchObject({ name: 'SecurityError' })
    expect(await refusal(clear, greet(tls))).toMatchObject({ name: 'ConnectError' })
  })
})

describe('sockets in clear', () => {
  it('are for this machine alone, and say so', async () => {
    const lines: string[] = []
    const clear = new SocketTransport({ insecure: true, log: (line) => lines.push(line) })
    expect(lines).toEqual([expect.stringMatching(/^insecure: .* neither encrypted nor authenticated/)])
    for (const address of [
      '0.0.0.0:0',
      '192.0.2.1:80',
      '[::]:80',
      'example.org:80',
      '127.0.0.1.example.org:80',
    ]) {
      await expect(clear.listen(address, { connected: () => {} })).rejects.toMatchObject({
        name: 'SecurityError',
      })
      await expect(clear.connect(address, { deadlineMs })).rejects.toMatchObject({ name: 'SecurityError' })
    }
    // As a program in JavaScript may forget.
    expect(() => new SocketTransport({ log } as unknown as { insecure: true })).toThrow(
      'give credentials, or insecure: true',
    )
  })

  it.each([
    ['garbage', 'GET / HTTP/1.1\r\n\r\n', /no frame begins with/],
    ['another version', 'SHL\u0009', /speaks version 9/],
    ['a frame that is cut', 'SHL\u0001\u0000', /ended without a farewell/],
    ['nothing', '', /ended without a farewell/],
  ])('refuse a peer that sends %s', async (_, text, message) => {
    const clear = new SocketTransport({ insecure: true, log })
    const error = await refusal(
      clear,
      (port) =>
        void connectClear(port, '127.0.0.1')
          .on('error', () => {})
          .end(text),
    )
    expect(error).toMatchObject({ name: 'ConnectError', message: expect.stringMatching(message) })
  })

  it('name what cannot be reached, and what is no address', async () => {
    const clear = new SocketTransport({ insecure: true, log })
    const listener = await clear.listen('127.0.0.1:0', { connected: () => {} })
    const taken = clear.listen(listener.address, { connected: () => {} })
    await expect(taken).rejects.toThrow(`cannot listen at ${listener.address}`)
    await listener.close()
    await expect(clear.connect(listener.address, { deadlineMs })).rejects.toMatchObject({
      name: 'ConnectError',
      message: expect.stringContaining(listener.address),
    })
    for (const address of ['localhost', 'localhost:70000', ':1', 'a:b:1', 'http://localhost:1'])
      await expect(clear.connect(address, { deadlineMs })).rejects.toThrow('is no address')
  })

  it('give up connecting at the deadline, and when asked to', async () => {
    const clear = new SocketTransport({ insecure: true, log })
    // It accepts, and says nothing.
    const mute = createServer().listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const { port } = mute.address() as AddressInfo
    await expect(clear.connect(`127.0.0.1:${port}`, { deadlineMs: 100 })).rejects.toMatchObject({
      name: 'DeadlineError',
      message: `connecting to 127.0.0.1:${port}: not done within 100 ms`,
    })
    mute.close()
    const control = new AbortController()
    const listener = await clear.listen('127.0.0.1:0', { connected: () => {} })
    control.abort(new Error('changed my mind'))
    await expect(
      clear.connect(listener.address, { deadlineMs, signal: control.signal }),
    ).rejects.toMatchObject({
      name: 'CancelledError',
      message: expect.stringMatching(/changed my mind/),
    })
    await listener.close()
  })

  it('notice a peer that falls silent', async () => {
    const { near, far, stall, close } = await pairOf(
      new SocketTransport({ insecure: true, log, frames: { aliveMs: 100 } }),
      { mortal: true },
    )
    stall()
    await expect(near.call('echo', empty, { deadlineMs })).rejects.toMatchObject({
      name: 'ConnectionLostError',
      message: expect.stringMatching(/'echo' awaited its answer: no sign of life/),
    })
    expect(await far.closed).toMatchObject({ message: expect.stringMatching(/no sign of life/) })
    await close()
  })
})
