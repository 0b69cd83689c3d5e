import { once } from 'node:events'
import { connect } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { SecurityError } from '../errors.ts'
import { ClusterAuthority } from '../security/authority.ts'
import type { PeerIdentity } from './contract.ts'
import { dial } from './dial.ts'
import { parseAddress } from './address.ts'
import { SocketTransport } from './socket.ts'

const authority = await ClusterAuthority.create()
const [anna, ben, carl] = await Promise.all(['anna', 'ben', 'carl'].map((node) => authority.issue({ node })))
const deadlineMs = 5000

describe('a port with several protocols', () => {
  it('hands each to its own, with who is there where that is asked for', async () => {
    const heard: (readonly [string, string | undefined])[] = []
    const refusals: string[] = []
    const hear = (name: string, strangers: boolean) => ({
      strangers,
      accepted(socket: NodeJS.WritableStream, peer: PeerIdentity | undefined) {
        heard.push([name, peer?.node])
        socket.end(name)
      },
    })
    await using transport = listening({
      credentials: anna!,
      protocols: { 'echo/1': hear('echo', false), 'door/1': hear('door', true) },
      admit({ node }) {
        if (node === 'carl') throw new SecurityError(`'${node}' was removed`)
      },
    })
    const { address } = await transport.listen(refusals)

    const { socket, peer } = await dial(address, { credentials: ben!, protocol: 'echo/1', deadlineMs })
    expect(peer.node).toBe('anna')
    expect(String(await once(socket, 'data'))).toBe('echo')

    const stranger = connect({
      ...parseAddress(address),
      ALPNProtocols: ['door/1'],
      rejectUnauthorized: false,
    })
    expect(String(await once(stranger, 'data'))).toBe('door')
    expect(heard).toEqual([
      ['echo', 'ben'],
      ['door', undefined],
    ])

    // Neither gets as far as a byte: one has no certificate, the other is refused by name.
    const nobody = connect({ ...parseAddress(address), ALPNProtocols: ['echo/1'], rejectUnauthorized: false })
    await once(
      nobody.on('error', () => undefined),
      'close',
    )
    const removed = await dial(address, { credentials: carl!, protocol: 'echo/1', deadlineMs })
    await once(removed.socket.on('error', () => undefined).resume(), 'close')
    expect(heard).toHaveLength(2)
    expect(refusals).toEqual([expect.stringContaining('no certificate'), "'carl' was removed"])
    const other = new SocketTransport({ credentials: carl! })
    await expect(other.connect(address, { deadlineMs })).rejects.toThrow('without a farewell')
    const wary = new SocketTransport({
      credentials: ben!,
      admit: ({ node }) => {
        throw new SecurityError(`'${node}' was removed`)
      },
    })
    await expect(wary.connect(address, { deadlineMs })).rejects.toThrow("'anna' was removed")
  })

  it('is not dialled by those of another cluster', async () => {
    await using transport = listening({ credentials: anna!, protocols: {} })
    const { address } = await transport.listen([])
    const far = await (await ClusterAuthority.create()).issue({ node: 'dora' })
    const options = { credentials: far, protocol: 'shoal/1', deadlineMs }
    await expect(dial(address, options)).rejects.toThrow(SecurityError)
  })
})

function listening(options: ConstructorParameters<typeof SocketTransport>[0]) {
  const transport = new SocketTransport(options)
  const ends: (() => Promise<void>)[] = []
  return {
    async listen(refusals: string[]) {
      const listener = await transport.listen('127.0.0.1:0', {
        connected: (connection) => void connection.close(),
        refused: ({ message }) => refusals.push(message),
      })
      ends.push(() => listener.close())
      return listener
    },
    async [Symbol.asyncDispose]() {
      for (const end of ends) await end()
    },
  }
}
