// What those get who come to the door without a code, in however great numbers.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { SimulatedClock } from '@shoal/distributed'
import { type OtherProtocol, parseAddress } from '@shoal/distributed/peers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Conversation } from '../identity/conversation.ts'
import { newNodeKey, signedFor } from '../identity/nodeKey.ts'
import { parseCode } from './code.ts'
import { joinCluster } from './joinCluster.ts'
import { joinProtocolName } from './joinMessages.ts'
import { proofOf, secretsOf } from './secret.ts'
import { sourceOf, Strangers } from './strangers.ts'
import { nodeIn, openDoor } from './testDoor.ts'

const anything = z.looseObject({})
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

/** Goes to the door and hears its hello. */
async function visit(address: string): Promise<{ readonly socket: TLSSocket; readonly talk: Conversation }> {
  const socket = connect({
    ...parseAddress(address),
    ALPNProtocols: [joinProtocolName],
    rejectUnauthorized: false,
  })
  const talk = new Conversation(socket, { deadlineMs: 60_000, clock: new SimulatedClock(), about: 'a visit' })
  open.defer(() => talk.end())
  await talk.hear(anything)
  return { socket, talk }
}

/** The same without a network, for which a thousand handshakes would take their time: the door cannot tell. */
async function visitWithin(door: OtherProtocol, remoteAddress: string): Promise<Conversation> {
  const binding = randomBytes(32)
  const [inside, outside] = duplexPair().map((end) =>
    Object.assign(end, { remoteAddress, exportKeyingMaterial: () => binding }),
  ) as unknown as [TLSSocket, TLSSocket]
  for (const [one, other] of [
    [inside, outside],
    [outside, inside],
  ] as const)
    one.once('close', () => other.destroy())
  door.accepted(inside, undefined)
  const talk = new Conversation(outside, {
    deadlineMs: 60_000,
    clock: new SimulatedClock(),
    about: 'a visit',
  })
  open.defer(() => talk.end())
  await talk.hear(anything)
  return talk
}

/** What the door answers at last, or why it does not. */
async function tell(talk: Conversation, ...said: ((talk: Conversation) => object)[]): Promise<unknown> {
  try {
    let answer: unknown
    for (const each of said) {
      talk.say(each(talk))
      answer = await talk.hear(anything)
    }
    return answer
  } catch (error) {
    return (error as Error).name
  } finally {
    talk.end()
  }
}

describe('a thousand guesses', () => {
  it('find nothing, take minutes, are written of in some lines, and keep nobody out', async () => {
    const clock = new SimulatedClock()
    const manager = await nodeIn(root, 'pi1')
    const { address, door, log, joined, invite } = await openDoor(root, manager, open, { clock })
    const guess = ({ binding }: Conversation): object => {
      const { id, key } = secretsOf(randomBytes(16), manager.clusterId)
      return { version: '1', invitation: id, proof: proofOf(key, 'joiner', binding) }
    }
    const guesser = async (_: unknown, i: number): Promise<readonly unknown[]> => {
      const answers: unknown[] = []
      while (answers.length < 100) answers.push(await tell(await visitWithin(door, `10.0.0.${i % 5}`), guess))
      return answers
    }
    const answers = await clock.settle(Promise.all(Array.from({ length: 10 }, guesser)))
    expect(new Set(answers.flat().map((answer) => (answer as { reason: string }).reason))).toEqual(
      new Set(['unknown']),
    )
    expect(clock.now()).toBeGreaterThan(400_000)
    expect(log.length).toBeLessThanOrEqual(clock.now() / 60_000 + 1)
    expect(log[0]).toMatch(/^a stranger at 10\.0\.0\.\d was not let in: this node has given out no such code/)
    expect(log.at(-1)).toMatch(/\d+ more since the last such line\.$/)

    // All places are taken by those who wait for their answers.
    const waiting = await Promise.all(Array.from({ length: 16 }, () => visitWithin(door, '10.0.0.9')))
    const ends = waiting.map((talk) => tell(talk, guess))
    expect(await joinCluster(await invite(), { nodeId: 'pi2-aaaa' })).toMatchObject({
      members: [{ addresses: [address] }],
    })
    expect(joined).toEqual(['pi2-aaaa'])
    expect(await Promise.race(ends)).toBe('ConnectionLostError')
    await clock.settle(Promise.all(ends))
  })
})

describe('an invitation', () => {
  it('is void after ten wrong proofs of those who know its name', async () => {
    const door = await openDoor(root, await nodeIn(root, 'pi1'), open)
    const code = await door.invite()
    const { secret, clusterId } = parseCode(code)
    const { id, key } = secretsOf(secret, clusterId)
    const invitation = door.invitations.find(id)!
    for (let i = 0; i < 9; i++) await door.invitations.countWrong(invitation)
    const second = await openDoor(root, await nodeIn(root, 'pi1'), open)
    // A proof that was good on another connection: who has recorded it has nothing.
    const recorded = proofOf(key, 'joiner', randomBytes(32))
    const answer = await tell((await visit(second.address)).talk, () => ({
      version: '1',
      invitation: id,
      proof: recorded,
    }))
    expect(answer).toMatchObject({ reason: 'unknown' })
    await expect(
      joinCluster(code, { nodeId: 'pi2-aaaa', addresses: [second.address] }),
    ).rejects.toMatchObject({ reason: 'void' })
    expect(second.joined).toEqual([])
  })

  it('gives a certificate only for a key that the node has', async () => {
    const door = await openDoor(root, await nodeIn(root, 'pi1'), open)
    const { secret, clusterId } = parseCode(await door.invite())
    const { id, key } = secretsOf(secret, clusterId)
    const proof = ({ binding }: Conversation): object => ({
      version: '1',
      invitation: id,
      proof: proofOf(key, 'joiner', binding),
    })
    const [own, other] = [newNodeKey(), newNodeKey()]
    const apply = (changed: object) => (talk: Conversation) => ({
      nodeId: 'pi2-aaaa',
      publicKey: own.publicKey,
      signature: signedFor('application', talk.binding, own.privateKey),
      ...changed,
    })
    expect(await tell((await visit(door.address)).talk, proof)).toMatchObject({ kind: 'welcome' })
    expect(
      await tell((await visit(door.address)).talk, proof, apply({ publicKey: other.publicKey })),
    ).toMatchObject({
      reason: 'request',
    })
    expect(await tell((await visit(door.address)).talk, proof, apply({ nodeId: '../pi2' }))).toBe(
      'ConnectionLostError',
    )
    expect(await tell((await visit(door.address)).talk, proof, apply({}))).toMatchObject({ kind: 'accepted' })
    expect(door.joined).toEqual(['pi2-aaaa'])
  })
})

describe('a stranger', () => {
  it('who says what is no message is not answered', async () => {
    const door = await openDoor(root, await nodeIn(root, 'pi1'), open)
    const lengths = [Buffer.from([0, 0, 0, 0]), Buffer.from([0, 1, 0, 1]), Buffer.from([255, 255, 255, 255])]
    const texts = ['{', '[]', '{"version":"1\\n[forged]","invitation":"","proof":""}'].map((text) =>
      Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]),
    )
    for (const bytes of [...lengths, ...texts, randomBytes(1000)]) {
      const { socket } = await visit(door.address)
      socket.write(bytes)
      await once(socket.resume(), 'close')
    }
    expect(
      await tell((await visit(door.address)).talk, () => ({ version: '7', invitation: '', proof: '' })),
    ).toMatchObject({
      reason: 'version',
      message: 'the cluster speaks version 1 and this node version 7: run the same version of shoal on both',
    })
    expect(door.log).toHaveLength(1)
    expect(door.log.join('')).not.toContain('forged')
  })

  it('who says nothing has to go after ten seconds, or when the place is needed', async () => {
    const clock = new SimulatedClock()
    const door = await openDoor(root, await nodeIn(root, 'pi1'), open, { clock })
    const visits = await Promise.all(Array.from({ length: 16 }, () => visit(door.address)))
    const closed = visits.map(({ socket }) => once(socket.resume(), 'close'))
    expect(await joinCluster(await door.invite(), { nodeId: 'pi2-aaaa' })).toBeDefined()
    await Promise.race(closed)
    await clock.run(10_000)
    await Promise.all(closed)
  })
})

describe('places at the door', () => {
  const from = (remoteAddress: string): Socket =>
    Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress })

  it('are taken first from those who were wrong, then from those who are many', () => {
    const strangers = new Strangers({ clock: new SimulatedClock(), log: () => {}, most: 4 })
    const [a, b, c, d, e, f, g] = ['1', '2', '2', '3', '4', '5', '6'].map((end) => from(`10.0.0.${end}`))
    for (const socket of [a, b, c, d]) strangers.hear(socket!)
    strangers.wrong(d!)
    strangers.hear(e!)
    strangers.hear(f!)
    strangers.release(a!)
    strangers.hear(g!)
    expect([a, b, c, d, e, f, g].map((socket) => socket!.destroyed)).toEqual([
      false,
      true,
      false,
      true,
      false,
      false,
      false,
    ])
    expect(strangers.size).toBe(4)
  })

  it('keep those waiting who are wrong, longer each time, and all where many are', async () => {
    const clock = new SimulatedClock()
    const strangers = new Strangers({ clock, log: () => {} })
    const delays = Array.from({ length: 7 }, () => strangers.wrong(from('10.0.0.1')))
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000])
    expect(strangers.wrong(from('10.0.0.2'))).toBe(250)
    const scattered = Array.from({ length: 400 }, (_, i) =>
      strangers.wrong(from(`2001:db8:${i.toString(16)}::1`)),
    )
    expect(scattered[0]).toBe(250)
    expect(scattered.at(-1)).toBe(5000)
    await clock.run(600_000)
    expect(strangers.wrong(from('10.0.0.1'))).toBe(250)
  })

  it('know where somebody comes from', () => {
    const same = ['2001:db8:0:1::5', '2001:db8:0:1:ffff::'].map(sourceOf)
    expect(same[0]).toBe(same[1])
    expect(sourceOf('2001:db8:0:2::5')).not.toBe(same[0])
    expect(sourceOf('::ffff:10.0.0.1')).toBe('10.0.0.1')
    expect(sourceOf('fe80::1%eth0')).not.toBe(sourceOf('fe80::2%eth0'))
    expect(sourceOf(undefined)).toBe('')
  })
})
