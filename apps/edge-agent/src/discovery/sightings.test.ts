// One list of everybody: what each was got to, why not further, and what lies cost.
import { ConnectError, DeadlineError, SecurityError, SimulatedClock } from '@shoal/distributed'
import { describe, expect, it } from 'vitest'
import type { SeenPeer } from './browser.ts'
import type { Reached } from './race.ts'
import { type SightingEvent, Sightings, type SightingsOptions } from './sightings.ts'

const ours = 'a'.repeat(64)
const theirs = 'b'.repeat(64)
const self = { nodeId: 'me', clusterId: ours }

/** Who answers at an address. */
interface Host {
  readonly node: string
  readonly cluster?: string
}

function stage(options: Partial<SightingsOptions> = {}) {
  const clock = new SimulatedClock()
  /** Nobody is at an address that is not here: that is refused at once. */
  const hosts = new Map<string, Host | Error>()
  const attempts: { readonly at: number; readonly address: string }[] = []
  const open = new Map<string, (error?: Error) => void>()
  const closed: string[] = []
  const events: SightingEvent[] = []
  let underWay = 0
  let most = 0

  const connection = (node: string, cluster: string): Reached => {
    const ended = Promise.withResolvers<Error | undefined>()
    open.set(node, ended.resolve)
    const close = async (): Promise<void> => {
      closed.push(node)
      ended.resolve(undefined)
    }
    return { peer: { cluster, node, role: 'worker' }, closed: ended.promise, close }
  }
  const sightings = new Sightings({
    self,
    clock,
    uniform: () => 0.5,
    ...options,
    reach: async (address, { deadlineMs }) => {
      attempts.push({ at: clock.now(), address })
      most = Math.max(most, ++underWay)
      const host = hosts.get(address)
      const late = host instanceof DeadlineError
      await new Promise<void>((resolve) => void clock.after(late ? deadlineMs : 10, resolve))
      underWay--
      if (host instanceof Error) throw host
      if (!host) {
        const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
        throw new ConnectError(`${address} cannot be reached`, { cause })
      }
      return connection(host.node, host.cluster ?? ours)
    },
  })
  sightings.subscribe((event) => void events.push(event))
  const seen = (nodeId: string, address: string, more: Partial<SeenPeer> = {}): SeenPeer => {
    const rest = { clusterId: ours, role: 'worker', version: '1', port: 7070, instance: nodeId }
    const heard = { interface: 'eth0', sender: address, lastSeen: clock.now(), host: `${nodeId}.local` }
    return { nodeId, addresses: [address], ...rest, ...heard, ...more }
  }
  const pass = (ms: number): Promise<void> => clock.run(clock.now() + ms)
  const states = () => Object.fromEntries(sightings.peers.map(({ nodeId, state }) => [nodeId, state]))
  const mostAtOnce = () => most
  return {
    clock,
    hosts,
    attempts,
    open,
    closed,
    events,
    sightings,
    seen,
    pass,
    states,
    mostAtOnce,
    connection,
  }
}

describe('a peer', () => {
  it('is seen, and trusted when it has proved who it is', async () => {
    const { hosts, sightings, seen, pass, events } = stage()
    hosts.set('192.0.2.2:7070', { node: 'pi2' })
    sightings.observe([seen('pi2', '192.0.2.2')])
    expect(sightings.peers).toEqual([
      {
        nodeId: 'pi2',
        clusterId: ours,
        role: 'worker',
        version: '1',
        state: 'seen',
        address: undefined,
        addresses: [{ address: '192.0.2.2:7070', problem: undefined }],
        sources: ['mdns eth0'],
        lastSeen: 0,
      },
    ])
    await pass(20)
    expect(sightings.peers[0]).toMatchObject({ state: 'trusted', address: '192.0.2.2:7070' })
    expect(sightings.isTrusted('pi2')).toBe(true)
    expect(events.map(({ kind }) => kind)).toEqual(['appeared', 'connected', 'changed'])
  })

  it('is one peer, whoever speaks of it, and one connection', async () => {
    const { hosts, sightings, seen, pass, attempts } = stage({ known: ['pi2.lan:7070'] })
    for (const address of ['pi2.lan:7070', '192.0.2.2:7070', '[2001:db8::2]:7070'])
      hosts.set(address, { node: 'pi2' })
    hosts.set('192.0.2.3:7070', { node: 'pi3' })
    sightings.observe([
      seen('pi2', '192.0.2.2'),
      seen('pi2', '2001:db8::2', { interface: 'wlan0' }),
      seen('pi3', '192.0.2.3'),
    ])
    await pass(50)
    sightings.tell('pi3', [{ nodeId: 'pi2', role: 'worker', addresses: ['192.0.2.2:7070', '10.0.0.2:7070'] }])
    await pass(5000)
    const pi2 = sightings.peers.find(({ nodeId }) => nodeId === 'pi2')!
    expect(sightings.peers).toHaveLength(2)
    expect(pi2.sources.toSorted()).toEqual(['mdns eth0', 'mdns wlan0', 'static', 'told by pi3'])
    expect(pi2.addresses.map(({ address }) => address).toSorted()).toEqual([
      '10.0.0.2:7070',
      '192.0.2.2:7070',
      '[2001:db8::2]:7070',
      'pi2.lan:7070',
    ])
    expect(attempts).toHaveLength(3)
  })

  it('stays while it is connected though nobody sees it any more, and goes when that ends', async () => {
    const { hosts, sightings, seen, pass, states, open, events } = stage()
    hosts.set('192.0.2.2:7070', { node: 'pi2' })
    sightings.observe([seen('pi2', '192.0.2.2')])
    await pass(20)
    sightings.observe([])
    expect(states()).toEqual({ pi2: 'trusted' })
    expect(sightings.peers[0]!.sources).toEqual([])
    open.get('pi2')!()
    await pass(0)
    expect(states()).toEqual({})
    expect(events.at(-1)!.kind).toBe('gone')
  })

  it('that was killed is seen only, says why, and is tried until it is there again', async () => {
    const { hosts, sightings, seen, pass, states, open } = stage()
    hosts.set('192.0.2.2:7070', { node: 'pi2' })
    sightings.observe([seen('pi2', '192.0.2.2')])
    await pass(20)
    hosts.delete('192.0.2.2:7070')
    open.get('pi2')!(new Error('the peer is silent'))
    await pass(0)
    const problem = () => sightings.peers[0]!.addresses[0]!.problem
    expect(states()).toEqual({ pi2: 'seen' })
    expect(problem()).toEqual({ kind: 'lost', message: 'lost: the peer is silent' })
    await pass(1000)
    expect(problem()!.kind).toBe('refused')
    hosts.set('192.0.2.2:7070', { node: 'pi2' })
    await pass(2000)
    expect(states()).toEqual({ pi2: 'trusted' })
    expect(problem()).toBeUndefined()
  })

  it('that connects here while it is being tried has one connection', async () => {
    const { hosts, sightings, seen, pass, connection, closed, events } = stage()
    hosts.set('192.0.2.2:7070', { node: 'pi2' })
    sightings.observe([seen('pi2', '192.0.2.2')])
    await pass(5)
    sightings.accept(connection('pi2', ours))
    await pass(100)
    expect(closed).toEqual(['pi2'])
    expect(events.filter(({ kind }) => kind === 'connected')).toHaveLength(1)
    expect(sightings.peers[0]).toMatchObject({ state: 'trusted', address: undefined })
  })

  it('that connects here is trusted, and only if it is of this cluster', async () => {
    const { sightings, states, connection, pass, seen, attempts } = stage()
    sightings.accept(connection('pi2', ours))
    sightings.accept(connection('pi3', theirs))
    sightings.accept(connection('pi4', ''))
    sightings.observe([seen('pi2', '192.0.2.2')])
    await pass(5000)
    expect(states()).toEqual({ pi2: 'trusted' })
    expect(sightings.peers[0]!.address).toBeUndefined()
    expect(attempts).toEqual([])
  })
})

describe('a peer that is not reached', () => {
  const coded = (code: string): Error =>
    new ConnectError('no', { cause: Object.assign(new Error(code), { code }) })

  it('says why at each address', async () => {
    const { hosts, sightings, seen, pass, closed } = stage()
    hosts.set('192.0.2.2:7070', coded('EHOSTUNREACH'))
    hosts.set('192.0.2.3:7070', new DeadlineError('connecting: not done within 4000 ms'))
    hosts.set(
      '192.0.2.4:7070',
      new SecurityError('192.0.2.4:7070 is refused: the peer showed no certificate'),
    )
    hosts.set('192.0.2.5:7070', { node: 'pi9' })
    hosts.set('192.0.2.6:7070', { node: 'me' })
    const addresses = [2, 3, 4, 5, 6, 7].map((last) => `192.0.2.${last}`)
    sightings.observe([seen('pi2', '192.0.2.2', { addresses })])
    await pass(6000)
    const [{ state, addresses: tried }] = sightings.peers as [(typeof sightings.peers)[0]]
    expect(state).toBe('seen')
    expect(tried.map(({ problem }) => problem!.kind)).toEqual([
      'no-route',
      'timed-out',
      'tls',
      'other-node',
      'self',
      'refused',
    ])
    expect(tried[3]!.problem!.message).toBe("other node: 'pi9' answers, not 'pi2'")
    expect(new Set(closed)).toEqual(new Set(['pi9', 'me']))
  })

  it('is reachable where somebody of another cluster answers, and of none', async () => {
    const { hosts, sightings, seen, pass, states, closed } = stage()
    hosts.set('192.0.2.2:7070', { node: 'pi2', cluster: theirs })
    hosts.set('192.0.2.3:7070', { node: 'pi3', cluster: '' })
    sightings.observe([seen('pi2', '192.0.2.2', { clusterId: theirs }), seen('pi3', '192.0.2.3')])
    await pass(100)
    expect(states()).toEqual({ pi2: 'reachable', pi3: 'reachable' })
    expect(sightings.peers.map(({ address }) => address)).toEqual(['192.0.2.2:7070', '192.0.2.3:7070'])
    expect(sightings.peers[0]!.addresses[0]!.problem).toEqual({
      kind: 'other-cluster',
      message: `other cluster: 'pi2' answers for cluster ${theirs}`,
    })
    expect(closed.toSorted()).toEqual(['pi2', 'pi3'])
    hosts.set('192.0.2.2:7070', new SecurityError('not issued by the authority of this cluster'))
    await pass(2000)
    expect(sightings.peers[0]).toMatchObject({
      state: 'reachable',
      addresses: [{ problem: { kind: 'other-cluster', message: expect.stringContaining('not issued by') } }],
    })
  })

  it('is tried after pauses that double, up to a minute, and at once where it is said to be elsewhere', async () => {
    const { hosts, sightings, seen, pass, attempts, states } = stage()
    sightings.observe([seen('pi2', '192.0.2.2')])
    await pass(200_000)
    const pauses = attempts.map(({ at }, index) => at - (attempts[index - 1]?.at ?? 0)).slice(1)
    expect(pauses.slice(0, 8)).toEqual([760, 1510, 3010, 6010, 12_010, 24_010, 45_010, 45_010])
    hosts.set('192.0.2.9:7070', { node: 'pi2' })
    sightings.observe([seen('pi2', '192.0.2.9')])
    await pass(20)
    expect(states()).toEqual({ pi2: 'trusted' })
  })

  it('is tried at once when it is asked for', async () => {
    const { sightings, seen, pass, attempts } = stage()
    sightings.observe([seen('pi2', '192.0.2.2')])
    await pass(100_000)
    const before = attempts.length
    sightings.retry()
    await pass(0)
    expect(attempts.length).toBe(before + 1)
  })
})

describe('an address that was given', () => {
  it('has no name until somebody answers there', async () => {
    const { hosts, sightings, pass } = stage({ known: ['10.0.0.2:7070'] })
    await pass(100)
    expect(sightings.peers).toMatchObject([{ nodeId: undefined, state: 'seen', sources: ['static'] }])
    hosts.set('10.0.0.2:7070', { node: 'pi2' })
    await pass(2000)
    expect(sightings.peers).toMatchObject([
      { nodeId: 'pi2', clusterId: ours, state: 'trusted', sources: ['static'] },
    ])
  })

  it('is that of another node when another one has moved in', async () => {
    const { hosts, sightings, pass, open } = stage({ known: ['10.0.0.2:7070'] })
    hosts.set('10.0.0.2:7070', { node: 'pi2' })
    await pass(100)
    hosts.set('10.0.0.2:7070', { node: 'pi3' })
    open.get('pi2')!()
    await pass(5000)
    expect(sightings.peers).toMatchObject([{ nodeId: 'pi3', state: 'trusted' }])
  })

  it('is refused where it is none', () => {
    for (const address of ['pi1', 'pi1:0', 'pi1:99999', 'http://pi1:80', ':80', 'pi 1:80'])
      expect(() => stage({ known: [address] })).toThrow(`'${address}' is no address of a peer`)
  })
})

describe('what is told', () => {
  it('is heard from trusted peers only, and until they tell otherwise', async () => {
    const { hosts, sightings, seen, pass, states } = stage()
    const told = [{ nodeId: 'pi3', role: 'worker', addresses: ['10.0.0.3:7070'] }]
    hosts.set('192.0.2.2:7070', { node: 'pi2' })
    sightings.observe([seen('pi2', '192.0.2.2')])
    sightings.tell('pi2', told)
    expect(states()).toEqual({ pi2: 'seen' })
    await pass(20)
    sightings.tell('pi2', told)
    expect(states()).toEqual({ pi2: 'trusted', pi3: 'seen' })
    sightings.tell('pi2', [])
    expect(states()).toEqual({ pi2: 'trusted' })
  })

  it('is bounded, and never of this node itself', async () => {
    const { hosts, sightings, seen, pass } = stage()
    hosts.set('192.0.2.2:7070', { node: 'pi2' })
    sightings.observe([seen('pi2', '192.0.2.2')])
    await pass(20)
    const addresses = Array.from({ length: 100 }, (_, at) => `10.0.0.${at}:7070`)
    const told = Array.from({ length: 500 }, (_, at) => ({ nodeId: `x${at}`, role: '', addresses }))
    sightings.tell('pi2', [
      { nodeId: 'me', role: '', addresses },
      { nodeId: 'y', role: '', addresses: ['no'] },
      ...told,
    ])
    expect(sightings.peers).toHaveLength(1 + 62)
    expect(sightings.peers[1]!.addresses).toHaveLength(8)
  })
})

describe('lies', () => {
  it('cost so many attempts at once, and do not keep true peers waiting', async () => {
    const { clock, hosts, sightings, seen, pass, states, mostAtOnce } = stage({ maxAttempts: 4 })
    const bogus = Array.from({ length: 200 }, (_, at) => {
      hosts.set(`10.9.${at}.1:7070`, new DeadlineError('no answer'))
      return seen(`bogus${at}`, `10.9.${at}.1`, { sender: '192.0.2.66' })
    })
    sightings.observe(bogus)
    await pass(10_000)
    hosts.set('192.0.2.2:7070', { node: 'pi2' })
    sightings.observe([...bogus, seen('pi2', '192.0.2.2')])
    await clock.run(clock.now() + 4100)
    expect(states()['pi2']).toBe('trusted')
    expect(mostAtOnce()).toBe(4)
  })

  it('about where a peer is do not crowd out where it is', async () => {
    const { hosts, sightings, seen, pass, states } = stage()
    const bogus = Array.from({ length: 40 }, (_, at) => {
      hosts.set(`10.9.${at}.1:7070`, new DeadlineError('no answer'))
      return seen('pi2', `10.9.${at}.1`, { sender: '192.0.2.66', host: `${at}.local` })
    })
    hosts.set('192.0.2.2:7070', { node: 'pi2' })
    sightings.observe([...bogus, seen('pi2', '192.0.2.2')])
    await pass(500)
    expect(states()).toEqual({ pi2: 'trusted' })
    expect(sightings.peers[0]!.addresses).toHaveLength(16)
  })

  it('of other clusters wait behind those of this one', async () => {
    const { sightings, seen, pass, attempts } = stage({ maxAttempts: 1 })
    sightings.observe([
      seen('x', '192.0.2.7', { clusterId: theirs }),
      seen('y', '192.0.2.8', { clusterId: theirs }),
      seen('pi2', '192.0.2.2'),
    ])
    await pass(15)
    expect(attempts.map(({ address }) => address)).toEqual(['192.0.2.2:7070', '192.0.2.7:7070'])
  })

  it('of any number push out no trusted peer, and no address that was given', async () => {
    const { hosts, sightings, seen, pass, states, events } = stage({ maxPeers: 10, known: ['10.0.0.1:7070'] })
    hosts.set('192.0.2.2:7070', { node: 'pi2' })
    const pi2 = seen('pi2', '192.0.2.2')
    sightings.observe([pi2])
    await pass(100)
    sightings.observe([pi2, ...Array.from({ length: 500 }, (_, at) => seen(`b${at}`, '192.0.2.66'))])
    expect(sightings.peers).toHaveLength(11)
    expect(states()).toMatchObject({ pi2: 'trusted', undefined: 'seen', b499: 'seen' })
    expect(events.filter(({ kind }) => kind === 'gone').length).toBe(491)
  })

  it('about this node itself are told once a minute', async () => {
    const { sightings, seen, events, pass } = stage()
    for (let at = 0; at < 100; at++) {
      sightings.observe([seen('me', '192.0.2.66', { host: `${at}.local` })])
      await pass(900)
    }
    expect(events.map(({ kind }) => kind)).toEqual(['namesake', 'namesake'])
  })
})

describe('the end', () => {
  it('withdraws what is under way and waits for nothing more', async () => {
    const { clock, hosts, sightings, seen, pass, attempts } = stage()
    hosts.set('192.0.2.2:7070', new DeadlineError('no answer'))
    sightings.observe([seen('pi2', '192.0.2.2')])
    await pass(5)
    await sightings[Symbol.asyncDispose]()
    await clock.run(100_000)
    expect(attempts).toHaveLength(1)
    expect(sightings.peers).toEqual([])
  })
})
