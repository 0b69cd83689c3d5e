import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SimulatedClock } from '@shoal/distributed'
import { dial, SocketTransport } from '@shoal/distributed/peers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { Conversation } from './conversation.ts'
import { Identity } from './identity.ts'
import { validityOf } from './membership.ts'
import { becomeValid, keepRenewed, renewAt, renewalProtocol, renewalProtocolName } from './renewal.ts'
import { StateFolder } from './stateFolder.ts'

const anything = z.unknown()
const hour = 3_600_000
let root = ''
let open: AsyncDisposableStack
beforeEach(async () => {
  open = new AsyncDisposableStack()
  root = await mkdtemp(join(tmpdir(), 'shoal-renewal-'))
})
afterEach(async () => {
  vi.useRealTimers()
  await open.disposeAsync()
  await rm(root, { recursive: true })
})

const node = async (name: string): Promise<Identity> =>
  Identity.open(await StateFolder.open(join(root, name)), { name })

/** The manager of a cluster that was founded three days ago. */
async function founder(): Promise<Identity> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 72 * hour })
  await node('pi1')
  vi.useRealTimers()
  return node('pi1')
}

/** A worker of the manager's cluster whose certificate began so many hours ago, and is good for a day. */
async function worker(manager: Identity, name: string, hoursAgo: number): Promise<Identity> {
  const alone = await node(name)
  const from = new Date(Date.now() - hoursAgo * hour)
  const credentials = await manager.authority!.issue({ node: alone.nodeId, role: 'worker', from })
  return alone.adopt({ credentials })
}

/** A port at which a node renews certificates. */
async function listening(identity: Identity) {
  const protocols = { [renewalProtocolName]: renewalProtocol(identity) }
  const transport = new SocketTransport({ credentials: identity.credentials, protocols })
  const refusals: string[] = []
  const { address, close } = await transport.listen('127.0.0.1:0', {
    connected: (connection) => void connection.close(),
    refused: ({ message }) => refusals.push(message),
  })
  open.defer(close)
  return { address, refusals }
}

const leftMs = (identity: Identity): number => validityOf(identity.newest).to - Date.now()

describe('a certificate', () => {
  it('is renewed at two thirds of its life, with a new key, by a manager that can be reached', async () => {
    const manager = await founder()
    const { address } = await listening(manager)
    const own = await worker(manager, 'pi2', 17)
    const { credentials, newest } = own
    const control = new AbortController()
    const renewed = new Promise((resolve) => credentials.onRenewal(resolve))
    const managers = (): string[] => ['127.0.0.1:1', address]
    keepRenewed(own, { managers, log: () => {}, signal: control.signal })
    await renewed
    control.abort()
    expect(leftMs(own)).toBeGreaterThan(23 * hour)
    expect(own.newest.privateKey).not.toBe(newest.privateKey)
    expect(credentials.present).toBe(own.newest)
  })

  it('is not renewed before, and by a manager without anybody', async () => {
    const manager = await founder()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    const clock = new SimulatedClock()
    const started = Date.now()
    const pass = async (ms: number): Promise<void> => {
      const until = clock.now() + ms
      while (clock.now() < until) {
        await clock.run(Math.min(until, clock.now() + 5 * 60_000))
        vi.setSystemTime(started + clock.now())
      }
    }
    const times: number[] = []
    let renewed = Promise.withResolvers<void>()
    const log = (): void => {
      times.push(clock.now() / hour)
      renewed.resolve()
    }
    const control = new AbortController()
    keepRenewed(manager, { managers: () => [], log, signal: control.signal, clock })
    await pass(15.8 * hour)
    expect(times).toEqual([])
    for (let turn = 0; turn < 3; turn++) {
      await pass(0.6 * hour)
      await renewed.promise
      renewed = Promise.withResolvers()
      await pass(15.3 * hour)
    }
    expect(times.map(Math.round)).toEqual([16, 32, 48])
    control.abort()
    await pass(30 * hour)
    expect(times).toHaveLength(3)
  })

  it('is asked for again and again while no manager answers, also when it has ended', async () => {
    const manager = await founder()
    const own = await worker(manager, 'pi2', 30)
    expect(own.isValid).toBe(false)
    const clock = new SimulatedClock()
    const said: string[] = []
    const renewed = Promise.withResolvers<void>()
    const log = (line: string): void => {
      said.push(line)
      if (line.includes('is good until')) renewed.resolve()
    }
    const known: string[] = []
    let attempts = 0
    const managers = (): string[] => {
      attempts++
      return known
    }
    const control = new AbortController()
    keepRenewed(own, { managers, log, signal: control.signal, clock })
    for (let minute = 1; minute <= 60; minute++) await clock.run(minute * 60_000)
    expect(said.length).toBeGreaterThan(12)
    expect(said.length).toBeLessThan(40)
    expect(said[0]).toMatch(/is not valid: it ends at 20.*\. no manager of the cluster is known/)
    known.push((await listening(manager)).address)
    // From the attempt on time stands still: its deadline is on this clock, and its sockets are not.
    for (const before = attempts; attempts === before; ) await clock.run(clock.now() + 1000)
    await renewed.promise
    control.abort()
    expect([own.isValid, (await node('pi2')).isValid]).toEqual([true, true])
  })

  it('is waited for by a node that begins without a valid one', async () => {
    const manager = await founder()
    const own = await worker(manager, 'pi2', 30)
    expect(() => own.credentials).toThrow('which is not now')
    const said: string[] = []
    const control = new AbortController()
    const { signal } = control
    const log = (line: string): void => void said.push(line)
    const clock = new SimulatedClock()
    const waiting = becomeValid(own, { managers: () => [], log, signal, clock })
    for (let second = 1; second < 60; second++) await clock.run(second * 1000)
    expect(said.length).toBeGreaterThan(3)
    control.abort(new Error('that is enough'))
    await expect(waiting).rejects.toThrow('that is enough')

    const { address } = await listening(manager)
    const managers = (): string[] => [address]
    await becomeValid(own, { managers, log, signal: new AbortController().signal })
    expect(own.credentials.present).toBe(own.newest)
    await becomeValid(own, { managers: () => [], log, signal })
  })

  it('is not renewed for a node that was removed', async () => {
    const manager = await founder()
    const { address } = await listening(manager)
    const own = await worker(manager, 'pi2', 1)
    await renewAt(address, own)
    await manager.remove(own.nodeId)
    await expect(renewAt(address, own)).rejects.toThrow(
      `does not renew the certificate: '${own.nodeId}' was removed from this cluster`,
    )
  })

  it('is not renewed for those of another cluster, by those who are no managers, and for keys of others', async () => {
    const manager = await founder()
    const { address, refusals } = await listening(manager)
    const own = await worker(manager, 'pi2', 1)
    const foreign = await worker(await node('pi8'), 'pi9', 1)
    await expect(renewAt(address, foreign)).rejects.toThrow('is refused')
    const protocol = renewalProtocolName
    const credentials = { ...foreign.newest, authority: manager.newest.authority }
    const { socket } = await dial(address, { credentials, protocol, deadlineMs: 5000 })
    await once(socket.on('error', () => undefined).resume(), 'close')
    expect(refusals.at(-1)).toMatch(/was not issued by the authority of this cluster/)

    const equal = await listening(own)
    await expect(renewAt(equal.address, own)).rejects.toThrow('is no manager')
    const { nodeId } = own
    const at = await dial(address, { credentials: own.newest, protocol, deadlineMs: 5000 })
    const clock = new SimulatedClock()
    const talk = new Conversation(at.socket, { deadlineMs: 5000, clock, about: 'a lie' })
    talk.say({ publicKey: manager.newest.certificate, signature: 'AAAA' })
    const answer = await talk.hear(anything)
    talk.end()
    expect(answer).toEqual({ refused: `'${nodeId}' has not got the key that it wants a certificate for` })
  })
})
