import { openProxy, transportSuite } from '@shoal/conformance/transports'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { connectSocket } from './connectSocket.ts'
import type { PeerIdentity } from './contract.ts'

const deadlineMs = 20_000
const peer = (node: string): PeerIdentity => ({ cluster: 'c', node, role: 'task' })

/** Two ends of one stream. Neither is read before it is made to. */
async function pair(by: (port: number) => number | Promise<number> = (port) => port) {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect(await by((server.address() as AddressInfo).port), '127.0.0.1').pause()
  const [far] = (await once(server, 'connection')) as [Socket]
  server.close()
  return [near, far] as const
}

transportSuite('sockets that are there', async ({ servedBytes } = {}) => {
  const proxies: Awaited<ReturnType<typeof openProxy>>[] = []
  const sockets = await pair(async (port) => {
    proxies.push(await openProxy(`127.0.0.1:${port}`))
    return Number(proxies[0]!.address.split(':')[1])
  })
  const { kill, stall, close } = proxies[0]!
  const frames = servedBytes === undefined ? {} : { servedBytes }
  const [near, far] = await Promise.all(
    sockets.map((socket, at) => connectSocket(socket, peer(`n${at}`), { deadlineMs, frames })),
  )
  return { near: near!, far: far!, close, kill, stall }
})

describe('a socket that is there', () => {
  it('is read from its beginning by whoever comes late', async () => {
    const [one, other] = await pair()
    const near = connectSocket(one, peer('other'), { deadlineMs })
    // The bytes of the first are there before the second begins to listen.
    while (other.bytesRead === 0 && one.bytesWritten === 0) await once(one, 'connect')
    const far = await connectSocket(other, peer('one'), { deadlineMs })
    far.serve({ hello: async ({ head }) => ({ head, tensors: [] }) })
    const said = { head: new Uint8Array([1, 2]), tensors: [] }
    expect([...(await (await near).call('hello', said, { deadlineMs })).head]).toEqual([1, 2])
    expect((await near).peer.node).toBe('other')
    await far.close()
  })

  it('is ended where the peer does not speak the protocol', async () => {
    const [one, other] = await pair()
    other.end('GET / HTTP/1.1\r\n\r\n')
    await expect(connectSocket(one, peer('web'), { deadlineMs })).rejects.toThrow("'web' does not answer")
    await once(other.resume(), 'close')
  })

  it('is destroyed when nobody answers in time', async () => {
    const [one, other] = await pair()
    await expect(connectSocket(one, peer('mute'), { deadlineMs: 20 })).rejects.toThrow(
      "opening a stream to 'mute': not done within 20 ms",
    )
    expect(one.destroyed).toBe(true)
    other.destroy()
  })
})
