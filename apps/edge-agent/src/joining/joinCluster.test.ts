import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SocketTransport } from '@shoal/distributed/peers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Identity } from '../identity/identity.ts'
import { formatCode, parseCode } from './code.ts'
import { joinCluster } from './joinCluster.ts'
import { nodeIn, openDoor } from './testDoor.ts'

let root = ''
let open: AsyncDisposableStack
beforeEach(async () => {
  open = new AsyncDisposableStack()
  root = await mkdtemp(join(tmpdir(), 'shoal-join-'))
})
afterEach(async () => {
  vi.useRealTimers()
  await open.disposeAsync()
  await rm(root, { recursive: true })
})
const node = (name: string): Promise<Identity> => nodeIn(root, name)

describe('a node with a code', () => {
  it('becomes one of the cluster, with a certificate that others trust', async () => {
    const [manager, own] = [await node('pi1'), await node('pi2')]
    const door = await openDoor(root, manager, open)
    const { nodeId } = own
    const joined = await joinCluster(await door.invite('worker'), { nodeId })
    expect(joined.members).toEqual([{ nodeId: manager.nodeId, role: 'manager', addresses: [door.address] }])
    expect([door.joined, door.log]).toEqual([[nodeId], [`'${nodeId}' was taken in as worker`]])
    expect(joined.authorityKey).toBeUndefined()
    const member = await own.adopt(joined)
    expect([member.nodeId, member.clusterId, member.role]).toEqual([nodeId, manager.clusterId, 'worker'])
    await using transport = connecting(member)
    expect(await transport.peerAt(door.address)).toBe(manager.nodeId)
  })

  it('of a manager takes others in, when the first manager is gone', async () => {
    const [first, two, three] = [await node('pi1'), await node('pi2'), await node('pi3')]
    const early = new AsyncDisposableStack()
    const door = await openDoor(root, first, early)
    const second = await two.adopt(await joinCluster(await door.invite('manager'), { nodeId: two.nodeId }))
    expect(second.authority?.cluster).toBe(first.clusterId)
    await early.disposeAsync()
    const next = await openDoor(root, second, open)
    const joined = await joinCluster(await next.invite('client'), { nodeId: three.nodeId })
    const third = await three.adopt(joined)
    expect([third.role, third.clusterId]).toEqual(['client', first.clusterId])
    const again = await openDoor(root, await node('pi1'), open)
    await using transport = connecting(third)
    expect(await transport.peerAt(again.address)).toBe(first.nodeId)
    await expect(openDoor(root, third, open)).rejects.toThrow('client')
  })

  it('finds the node that has made it, among others and at addresses that lead nowhere', async () => {
    const manager = await node('pi1')
    const door = await openDoor(root, manager, open)
    const stranger = await openDoor(root, await node('pi7'), open)
    const two = await node('pi2')
    const code = await door.invite('manager', [])
    const second = await two.adopt(await joinCluster(code, { nodeId: two.nodeId, addresses: [door.address] }))
    const equal = await openDoor(root, second, open)

    const addresses = ['127.0.0.1:1', stranger.address, equal.address]
    const next = await door.invite('worker')
    expect((await joinCluster(next, { nodeId: 'pi3-aaaa', addresses })).members).toHaveLength(1)
    await expect(
      joinCluster(await door.invite('worker', []), { nodeId: 'pi4-aaaa', addresses }),
    ).rejects.toMatchObject({
      name: 'JoinError',
      reason: 'unknown',
      message: expect.stringMatching(
        /^the cluster was not joined: at 127\.0\.0\.1:1, .*ECONNREFUSED.*; at .*, the node there is of another cluster, .*; at .*, this node has given out no such code/,
      ),
    })
    await expect(joinCluster(await door.invite('worker', []), { nodeId: 'pi4-aaaa' })).rejects.toThrow(
      'give the address of the one that has made the code',
    )
  })

  it('does not wait for addresses that say nothing', async () => {
    const door = await openDoor(root, await node('pi1'), open)
    const silent = createServer((socket) => open.defer(() => void socket.destroy()))
    open.defer(() => void silent.close())
    await once(silent.listen(0, '127.0.0.1'), 'listening')
    const { port } = silent.address() as AddressInfo
    // One of them alone would take longer than this test may.
    const addresses = ['127.0.0.1', 'localhost'].map((host) => `${host}:${port}`)
    const joined = await joinCluster(await door.invite('worker'), { nodeId: 'pi3-aaaa', addresses })
    expect(joined.members).toHaveLength(1)
  })

  it('is not taken in with one that was used, and neither after a new start', async () => {
    const manager = await node('pi1')
    const door = await openDoor(root, manager, open)
    const code = await door.invite()
    await joinCluster(code, { nodeId: 'pi2-aaaa' })
    const used = { name: 'JoinError', reason: 'used' }
    await expect(joinCluster(code, { nodeId: 'pi3-aaaa' })).rejects.toMatchObject(used)
    await expect(joinCluster(code, { nodeId: 'pi2-aaaa' })).rejects.toMatchObject(used)
    const fresh = await door.invite()
    const again = await openDoor(root, await node('pi1'), open)
    const addresses = [again.address]
    await expect(joinCluster(code, { nodeId: 'pi3-aaaa', addresses })).rejects.toMatchObject(used)
    expect(await joinCluster(fresh, { nodeId: 'pi3-aaaa', addresses })).toBeDefined()
    expect(again.joined).toEqual(['pi3-aaaa'])
  })

  it('is taken in once where two come with it at once', async () => {
    const door = await openDoor(root, await node('pi1'), open)
    const code = await door.invite()
    const ends = await Promise.allSettled(
      ['pi2-aaaa', 'pi3-aaaa', 'pi4-aaaa'].map((nodeId) => joinCluster(code, { nodeId })),
    )
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(door.joined).toHaveLength(1)
    // And one name goes to one of two that come with two codes.
    const codes = [await door.invite(), await door.invite()]
    const same = await Promise.allSettled(codes.map((one) => joinCluster(one, { nodeId: 'pi5-aaaa' })))
    expect(same.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(same.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { reason: 'taken' } })
  })

  it('is not taken in when it has expired', async () => {
    const door = await openDoor(root, await node('pi1'), open)
    const code = await door.invite()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 })
    await expect(joinCluster(code, { nodeId: 'pi2-aaaa' })).rejects.toMatchObject({
      reason: 'expired',
      message: expect.stringMatching(/the code was good until 20.*Ask for another one/),
    })
    expect(door.joined).toEqual([])
  })

  it('is not taken in with a wrong one, or one that is cut off', async () => {
    const door = await openDoor(root, await node('pi1'), open)
    const code = parseCode(await door.invite())
    const wrong = formatCode({ ...code, secret: new Uint8Array(16) })
    await expect(joinCluster(wrong, { nodeId: 'pi2-aaaa' })).rejects.toMatchObject({ reason: 'unknown' })
    await expect(joinCluster(formatCode(code).slice(0, -9), { nodeId: 'pi2-aaaa' })).rejects.toThrow(
      'is cut off',
    )
    await expect(
      joinCluster(formatCode({ ...code, role: 'manager' }), { nodeId: 'pi2-aaaa' }),
    ).rejects.toThrow(`the certificate that was given is for worker 'pi2-aaaa', and not for manager`)
  })

  it('is told when another node has its name, and when it was removed under that', async () => {
    const manager = await node('pi1')
    const door = await openDoor(root, manager, open)
    await joinCluster(await door.invite(), { nodeId: 'pi2-aaaa' })
    const code = await door.invite()
    for (const nodeId of ['pi2-aaaa', manager.nodeId])
      await expect(joinCluster(code, { nodeId })).rejects.toMatchObject({
        reason: 'taken',
        message: `another node of this cluster is called '${nodeId}': join under another name: shoal join CODE --name NAME`,
      })
    await manager.remove('pi2-aaaa')
    await expect(joinCluster(code, { nodeId: 'pi2-aaaa' })).rejects.toMatchObject({ reason: 'removed' })
    expect(await joinCluster(code, { nodeId: 'pi2-bbbb' })).toBeDefined()
  })

  it('is told when it speaks another version', async () => {
    const door = await openDoor(root, await node('pi1'), open, { version: '2' })
    const code = await door.invite()
    await expect(joinCluster(code, { nodeId: 'pi2-aaaa' })).rejects.toMatchObject({
      reason: 'version',
      message: expect.stringMatching('the cluster speaks version 2 and this node version 1'),
    })
    expect(await joinCluster(code, { nodeId: 'pi2-aaaa', version: '2' })).toBeDefined()
  })

  it('goes on trying where too many are at the door, and gives up when it is told to', async () => {
    const door = await openDoor(root, await node('pi1'), open, { most: 2 })
    const codes = await Promise.all(Array.from({ length: 12 }, () => door.invite()))
    await Promise.all(codes.map((code, i) => joinCluster(code, { nodeId: `pi${i}-aaaa` })))
    expect(door.joined).toHaveLength(12)
    const control = new AbortController()
    const joining = joinCluster(await door.invite(), { nodeId: 'pi9-bbbb', signal: control.signal })
    control.abort(new Error('the person has had enough'))
    await expect(joining).rejects.toThrow('the person has had enough')
  })
})

function connecting(identity: Identity) {
  const transport = new SocketTransport({ credentials: identity.credentials })
  const ends = new AsyncDisposableStack()
  return {
    async peerAt(address: string): Promise<string> {
      const connection = await transport.connect(address, { deadlineMs: 5000 })
      ends.defer(() => connection.close())
      return connection.peer.node
    },
    [Symbol.asyncDispose]: () => ends.disposeAsync(),
  }
}
