// What those learn and get who stand between a node and its cluster.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer as createPlainServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type TLSSocket } from 'node:tls'
import { SimulatedClock } from '@shoal/distributed'
import { ClusterAuthority, type NodeCredentials, parseAddress } from '@shoal/distributed/peers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Conversation } from '../identity/conversation.ts'
import { certified } from '../identity/membership.ts'
import { joinCluster } from './joinCluster.ts'
import { joinProtocolName } from './joinMessages.ts'
import { nodeIn, openDoor } from './testDoor.ts'

let root = ''
let open: AsyncDisposableStack
beforeEach(async () => {
  open = new AsyncDisposableStack()
  root = await mkdtemp(join(tmpdir(), 'shoal-join-'))
})
afterEach(async () => {
  await open.disposeAsync()
  await rm(root, { recursive: true })
})

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.defer(() => void server.close())
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}

/** Says hello as a door would, and counts what is said to it. */
async function impostor(own: NodeCredentials, hello: object, accepted?: () => void) {
  let heard = 0
  const hear = (socket: TLSSocket): void => {
    open.defer(() => void socket.destroy())
    const talk = new Conversation(socket, {
      deadlineMs: 60_000,
      clock: new SimulatedClock(),
      about: 'a trap',
    })
    talk.say(hello)
    socket.on('data', (chunk: Buffer) => void (heard += chunk.length))
    accepted?.()
  }
  const { certificate: cert, privateKey: key } = own
  const server = createServer({ cert, key, ALPNProtocols: [joinProtocolName], minVersion: 'TLSv1.3' }, hear)
  return { address: await listening(server), heard: () => heard }
}

describe('an impostor', () => {
  it('hears nothing, whatever it shows', async () => {
    const manager = await nodeIn(root, 'pi1')
    const door = await openDoor(root, manager, open)
    const { nodeId, authority } = manager
    const other = await ClusterAuthority.create()
    const own = await other.issue({ node: nodeId, role: 'manager' })
    const worker = await certified(authority!, { nodeId: 'pi2-aaaa', role: 'worker' })
    const cases = [
      [own, own.authority, 'the node there is of another cluster'],
      [own, authority!.certificate, 'was not issued by the authority of this cluster'],
      [worker, authority!.certificate, `'pi2-aaaa' there is a worker, and may not take nodes in`],
      [own, 'nonsense', 'is no certificate'],
    ] as const
    for (const [credentials, shown, problem] of cases) {
      const trap = await impostor(credentials, { version: '1', authority: shown })
      const code = await door.invite('worker', [trap.address])
      const joining = joinCluster(code, { nodeId: 'pi3-aaaa' })
      await expect(joining).rejects.toMatchObject({ name: 'SecurityError' })
      await expect(joining).rejects.toThrow(problem)
      expect(trap.heard()).toBe(0)
      // The code is as good as before.
      expect(await joinCluster(code, { nodeId: 'pi3-aaaa', addresses: [door.address] })).toBeDefined()
      door.joined.length = 0
    }
  })

  it('that is silent is given up, and has heard nothing', async () => {
    const manager = await nodeIn(root, 'pi1')
    const door = await openDoor(root, manager, open)
    const clock = new SimulatedClock()
    const silent = createPlainServer((socket) => {
      open.defer(() => void socket.destroy())
      void clock.run(clock.now() + 60_000)
    })
    const code = await door.invite('worker', [await listening(silent)])
    const joining = joinCluster(code, { nodeId: 'pi3-aaaa', clock })
    await expect(joining).rejects.toMatchObject({ name: 'DeadlineError' })
  })

  it('that answers nonsense, or is no shoal, is named as such', async () => {
    const manager = await nodeIn(root, 'pi1')
    const door = await openDoor(root, manager, open)
    const other = await (await ClusterAuthority.create()).issue({ node: 'pi9', role: 'manager' })
    const trap = await impostor(other, { hello: 'there' })
    const join = async (address: string) =>
      joinCluster(await door.invite('worker', [address]), { nodeId: 'pi3-aaaa' })
    await expect(join(trap.address)).rejects.toThrow('joining: ')
    expect(trap.heard()).toBe(0)
    const { certificate: cert, privateKey: key } = other
    const web = createServer({ cert, key, ALPNProtocols: ['h2'] })
    await expect(join(await listening(web))).rejects.toThrow(/does not speak shoal-join\/1/)
    const chatty = createPlainServer((socket) => void socket.end('220 mail.example.org ESMTP\r\n'))
    await expect(join(await listening(chatty))).rejects.toThrow('the cluster was not joined: at 127.0.0.1')
  })
})

describe('a connection that breaks', () => {
  it('after the node was taken in does not cost the code: the node asks again with the same key', async () => {
    const manager = await nodeIn(root, 'pi1')
    const door = await openDoor(root, manager, open)
    let cuts = 0
    // Carries everything until the node was taken in; that answer is lost.
    const relay = createPlainServer((socket) => {
      const behind = connect(parseAddress(door.address))
      const end = (): void => void [socket.destroy(), behind.destroy()]
      for (const one of [socket, behind]) one.on('error', end).on('close', end)
      socket.pipe(behind)
      behind.on('data', (chunk: Buffer) => {
        if (door.joined.length === 1 && cuts === 0) {
          cuts++
          end()
        } else socket.write(chunk)
      })
    })
    const code = await door.invite('worker', [await listening(relay)])
    const joined = await joinCluster(code, { nodeId: 'pi2-aaaa' })
    expect(joined.members).toHaveLength(1)
    expect([cuts, door.joined]).toEqual([1, ['pi2-aaaa', 'pi2-aaaa']])
    await expect(joinCluster(code, { nodeId: 'pi2-aaaa' })).rejects.toMatchObject({ reason: 'used' })
  })
})
