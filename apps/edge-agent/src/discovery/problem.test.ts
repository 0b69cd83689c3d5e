// Why a peer cannot be reached, in words, as real sockets and real certificates say it.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { ConnectError, DeadlineError } from '@shoal/distributed/peers'
import { ClusterAuthority, SocketTransport } from '@shoal/distributed/node'
import { afterEach, describe, expect, it } from 'vitest'
import { problemOf } from './problem.ts'

const authority = await ClusterAuthority.create()
const transport = new SocketTransport({ credentials: await authority.issue({ node: 'me' }) })

describe('a problem', () => {
  const ends: (() => unknown)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
  })

  async function problemAt(address: string, deadlineMs = 5000) {
    return transport.connect(address, { deadlineMs }).then(() => 'connected', problemOf)
  }
  /** Something that listens on loopback, and is no peer. */
  async function server(connected: (socket: Socket) => void): Promise<string> {
    const listening = createServer((socket) => {
      ends.push(() => socket.destroy())
      connected(socket.on('error', () => {}))
    }).listen(0, '127.0.0.1')
    ends.push(() => listening.close())
    await once(listening, 'listening')
    return `127.0.0.1:${(listening.address() as AddressInfo).port}`
  }

  it('is that nothing listens', async () => {
    const address = await server(() => {})
    await ends.shift()!()
    expect(await problemAt(address)).toEqual({
      kind: 'refused',
      message: 'refused: the machine is there, but nothing listens at that port',
    })
  })

  it('is that nobody answers in time', async () => {
    const address = await server(() => {})
    expect(await problemAt(address, 50)).toMatchObject({ kind: 'timed-out' })
  })

  it('is that what answers speaks no TLS, or hangs up', async () => {
    const web = await server((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect(await problemAt(web)).toMatchObject({
      kind: 'tls',
      message: expect.stringMatching(/^TLS failed: /),
    })
    const rude = await server((socket) => socket.once('data', () => socket.resetAndDestroy()))
    expect(await problemAt(rude)).toMatchObject({ kind: 'tls', message: expect.stringMatching(/^reset: /) })
  })

  it('is that the peer is of another cluster', async () => {
    const elsewhere = await ClusterAuthority.create()
    const other = new SocketTransport({ credentials: await elsewhere.issue({ node: 'pi2' }) })
    const listener = await other.listen('127.0.0.1:0', { connected() {} })
    ends.push(() => listener.close())
    expect(await problemAt(listener.address)).toEqual({
      kind: 'tls',
      message: expect.stringMatching(/^TLS failed: .*it names cluster [0-9a-f]{64}$/),
    })
  })

  it('is named by the code that the system ended in, however deep it is', () => {
    const kinds = {
      EHOSTUNREACH: 'no-route',
      ENETUNREACH: 'no-route',
      ENOTFOUND: 'unknown-host',
      ETIMEDOUT: 'timed-out',
    }
    for (const [code, kind] of Object.entries(kinds)) {
      const cause = Object.assign(new Error(code), { code })
      expect(problemOf(new ConnectError('outer', { cause: new Error('inner', { cause }) })).kind).toBe(kind)
    }
  })

  it('is what was said where it is none of these', () => {
    expect(problemOf('odd')).toEqual({ kind: 'failed', message: 'odd' })
    expect(problemOf(new Error('outer', { cause: new DeadlineError('late') }))).toMatchObject({
      kind: 'timed-out',
    })
  })
})
