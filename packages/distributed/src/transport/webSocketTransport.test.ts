import { openProxy, type PairOptions, transportSuite } from '@shoal/conformance/transports'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { WebSocket as NodeWebSocket } from 'ws'
import { ClusterAuthority } from '../security/authority.ts'
import type { Connection } from './contract.ts'
import { connectWebSocket } from './webSocket.ts'
import { WebSocketTransport } from './webSocketTransport.ts'

const log = (): void => {}
const deadlineMs = 20_000
const credentials = await (await ClusterAuthority.create()).issue({ node: 'n1', role: 'worker' })

/** A pair over `transport`; `dial` connects its near end. */
async function pairOf(
  transport: WebSocketTransport,
  { mortal }: PairOptions = {},
  dial = (address: string): Promise<Connection> => transport.connect(address, { deadlineMs }),
) {
  const accepted = Promise.withResolvers<Connection>()
  const listener = await transport.listen('127.0.0.1:0', { connected: accepted.resolve })
  const proxy = mortal ? await openProxy(listener.address) : undefined
  const near = await dial((proxy ?? listener).address)
  const close = async (): Promise<void> => {
    await Promise.all([proxy?.close(), listener.close()])
  }
  return { near, far: await accepted.promise, close, ...(proxy && { kill: proxy.kill }) }
}
const served = ({ servedBytes }: PairOptions = {}) => ({
  frames: servedBytes === undefined ? {} : { servedBytes },
})

transportSuite('WebSockets under TLS', (options) =>
  pairOf(new WebSocketTransport({ credentials, ...served(options) }), options),
)
// The WebSocket of browsers, which Node has too, against a server of ours.
transportSuite('standard WebSockets', (options) =>
  pairOf(new WebSocketTransport({ insecure: true, log, ...served(options) }), options, (address) =>
    connectWebSocket(`ws://${address}`, { deadlineMs, ...served(options) }),
  ),
)

describe('WebSockets', () => {
  it('refuse pages of origins that were not named', async () => {
    const refusals: Error[] = []
    const transport = new WebSocketTransport({ insecure: true, log, origins: ['https://board.example'] })
    const connected = (connection: Connection): void => void connection.close()
    const listener = await transport.listen('127.0.0.1:0', {
      connected,
      refused: (error) => refusals.push(error),
    })
    const outcome = (origin: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = new NodeWebSocket(`ws://${listener.address}`, 'shoal.1', { origin })
        socket.on('open', () => resolve('open'))
        socket.on('message', () => socket.terminate())
        socket.on('error', () => resolve('refused'))
      })
    expect(await outcome('https://elsewhere.example')).toBe('refused')
    expect(refusals.map(({ message }) => message)).toEqual([
      'a page of https://elsewhere.example was refused: name it in origins to let it in',
    ])
    expect(await outcome('https://board.example')).toBe('open')
    await listener.close()
  })

  it('speak in clear only within this machine', async () => {
    await expect(connectWebSocket('ws://192.0.2.1:80', { deadlineMs })).rejects.toMatchObject({
      name: 'SecurityError',
    })
  })

  it('show no certificate of another cluster', async () => {
    const stranger = await (await ClusterAuthority.create()).issue({ node: 'n2' })
    const refused = Promise.withResolvers<Error>()
    const listener = await new WebSocketTransport({ credentials }).listen('127.0.0.1:0', {
      connected: () => refused.reject(new Error('let in')),
      refused: refused.resolve,
    })
    const client = new WebSocketTransport({ credentials: stranger })
    await expect(client.connect(listener.address, { deadlineMs })).rejects.toMatchObject({
      name: 'ConnectError',
    })
    expect(await refused.promise).toMatchObject({ name: 'SecurityError' })
    await listener.close()
  })

  it.each([
    ['nonsense\r\n\r\n', /^HTTP\/1.1 400/],
    ['GET / HTTP/1.1\r\nHost: here\r\n\r\n', /^HTTP\/1.1 426/],
  ])('turn away what is no WebSocket: %j', async (greeting, expected) => {
    const listener = await new WebSocketTransport({ insecure: true, log }).listen('127.0.0.1:0', {
      connected: () => {},
    })
    const socket = connect(Number(listener.address.split(':')[1]), '127.0.0.1', () => socket.write(greeting))
    let answer = ''
    socket.on('data', (bytes) => (answer += bytes))
    await new Promise((resolve) => socket.once('close', resolve))
    expect(answer).toMatch(expected)
    await listener.close()
  })

  it.each([
    ['text', 'hello', /the peer sent text/],
    ['garbage', new Uint8Array(100), /no frame begins with 00000000/],
    ['more than a frame may have', new Uint8Array(2 ** 22), /Max payload size exceeded/],
  ])('end a connection that brings %s', async (_, data, expected) => {
    const refused = Promise.withResolvers<Error>()
    const listener = await new WebSocketTransport({ insecure: true, log }).listen('127.0.0.1:0', {
      connected: () => refused.reject(new Error('let in')),
      refused: refused.resolve,
    })
    const socket = new NodeWebSocket(`ws://${listener.address}`, 'shoal.1')
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('open', () => socket.send(data)).on('error', () => {})
    expect((await refused.promise).message).toMatch(expected)
    await closed
    await listener.close()
  })
})
