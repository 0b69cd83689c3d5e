// Nodes on a network that exists as events only: who finds whom, when, for how many packets, and what strangers can do.
import { SimulatedClock } from '@shoal/distributed'
import { describe, expect, it } from 'vitest'
import { Mdns, type MdnsOptions } from './mdns.ts'
import { readMessage, writeMessage } from './message.ts'
import { allServices, type Announcement, claimsOf, instanceName, recordsOf, serviceType } from './records.ts'
import { type LanEnd, SimulatedLan } from './simulatedLan.ts'

const clusterId = 'a'.repeat(64)
const announcement = (nodeId: string, more: Partial<Announcement> = {}): Announcement => {
  return { nodeId, clusterId, role: 'worker', version: '1', port: 7070, ...more }
}

/** A chance of its own for each node, the same in each run. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function stage() {
  const clock = new SimulatedClock()
  const lan = new SimulatedLan(clock)
  const lines: string[] = []
  const start = (said: Announcement, end: LanEnd, options: Partial<MdnsOptions> = {}): Mdns => {
    const uniform = chance(
      end.link.addresses[0]!.address.split('.').reduce((sum, part) => sum * 31 + Number(part), 7),
    )
    const log = (line: string): void => void lines.push(line)
    return new Mdns(said, { medium: end.open, clock, uniform, log, changed() {}, ...options })
  }
  const pass = (ms: number): Promise<void> => clock.run(clock.now() + ms)
  return { clock, lan, lines, start, pass }
}

const names = (mdns: Mdns): readonly string[] => mdns.peers.map(({ instance }) => instance).toSorted()

/** What a stranger says of a node that may not be there. */
const bogus = (nodeId: string, host: string, address: string): Uint8Array => {
  const link = {
    name: 'eth0',
    internal: false,
    addresses: [{ family: 'ipv4' as const, address, prefix: 24 }],
  }
  const claim = { instance: nodeId, host, port: 7070 }
  return writeMessage({ isResponse: true, answers: recordsOf(announcement(nodeId), claim, link, 120) })
}

describe('two nodes', () => {
  it('see each other within two seconds, with all that each says', async () => {
    const { lan, start, pass } = stage()
    let changes = 0
    const a = start(announcement('pi1'), lan.end('192.0.2.1'), { changed: () => void changes++ })
    const b = start(announcement('pi.2', { role: 'ps', port: 7071 }), lan.end('192.0.2.2'))
    await pass(2000)
    expect(names(b)).toEqual(['pi1'])
    expect(changes).toBeGreaterThan(0)
    expect(a.peers).toEqual([
      {
        ...announcement('pi.2', { role: 'ps', port: 7071 }),
        instance: 'pi-2',
        host: expect.stringMatching(/^pi-2-[0-9a-f]{8}\.local$/),
        addresses: ['192.0.2.2'],
        interface: 'eth0',
        sender: '192.0.2.2',
        lastSeen: expect.any(Number),
      },
    ])
  })

  it('know at once that one of them has gone, for it says so', async () => {
    const { lan, start, pass } = stage()
    const a = start(announcement('pi1'), lan.end('192.0.2.1'))
    const b = start(announcement('pi2'), lan.end('192.0.2.2'))
    await pass(2000)
    await b[Symbol.asyncDispose]()
    await pass(10)
    expect(a.peers).toEqual([])
  })

  it('forget one that died without a word when its time is over, having asked for it twice', async () => {
    const { clock, lan, start, pass } = stage()
    const end = lan.end('192.0.2.2')
    const a = start(announcement('pi1'), lan.end('192.0.2.1'))
    start(announcement('pi2'), end)
    await pass(60_000)
    end.cut()
    const { lastSeen } = a.peers[0]!
    await clock.run(lastSeen + 19_999)
    expect(names(a)).toEqual(['pi2'])
    await pass(2)
    expect(a.peers).toEqual([])
    const asked = lan.said.filter(({ bytes, at }) => {
      const message = readMessage(bytes)!
      return at > lastSeen && message.questions.some(({ type }) => type === 'SRV')
    })
    expect(asked.map(({ at }) => Math.round(at - lastSeen))).toEqual([16_000, 18_000])
  })

  it('keep each other though every other packet is lost', async () => {
    const { lan, start, pass } = stage()
    let packets = 0
    lan.loses = () => packets++ % 2 === 0
    const a = start(announcement('pi1'), lan.end('192.0.2.1'))
    start(announcement('pi2'), lan.end('192.0.2.2'))
    await pass(5000)
    for (let minute = 0; minute < 5; minute++) {
      expect(names(a)).toEqual(['pi2'])
      await pass(60_000)
    }
  })

  it('forget each other when the link goes, and find each other when it is back', async () => {
    const { lan, start, pass } = stage()
    const end = lan.end('192.0.2.1')
    const a = start(announcement('pi1'), end)
    start(announcement('pi2'), lan.end('192.0.2.2'))
    await pass(2000)
    end.setUp(false)
    expect(a.peers).toEqual([])
    expect(a.links).toEqual([])
    await pass(30_000)
    end.setUp(true)
    await pass(1300)
    expect(names(a)).toEqual(['pi2'])
  })
})

describe('a network of twenty', () => {
  it('is whole within two seconds, and quiet from then on', async () => {
    const { lan, start, pass } = stage()
    const all = Array.from({ length: 20 }, (_, at) =>
      start(announcement(`pi${at}`), lan.end(`192.0.2.${at + 1}`)),
    )
    await pass(2000)
    for (const one of all) expect(one.peers).toHaveLength(19)
    await pass(60_000)
    const before = lan.said.length
    await pass(60_000)
    // Each says all of itself every ten seconds at most, and asks once a minute; those who are known do not answer.
    expect((lan.said.length - before) / 20).toBeLessThanOrEqual(8)
    expect(Math.max(...lan.said.map(({ bytes }) => bytes.byteLength))).toBeLessThan(1400)
  })
})

describe('a name that two want', () => {
  it('stays with the one that has it', async () => {
    const { lan, lines, start, pass } = stage()
    const first = start(announcement('pi1'), lan.end('192.0.2.1'))
    await pass(3000)
    const second = start(announcement('pi1', { clusterId: 'b'.repeat(64) }), lan.end('192.0.2.2'))
    await pass(3000)
    expect([first.instance, second.instance]).toEqual(['pi1', 'pi1-2'])
    expect(names(first)).toEqual(['pi1-2'])
    expect(names(second)).toEqual(['pi1'])
    expect(lines).toEqual([
      "the name 'pi1' is taken on this network by the node at 192.0.2.1: this node is listed as 'pi1-2'",
    ])
  })

  it('goes to one of them when they ask at the same moment', async () => {
    const { lan, start, pass } = stage()
    const all = [1, 2, 3].map((at) => {
      // All draw the same moment, after each drew a host of its own.
      const drawn = [at / 10]
      return start(announcement('pi1'), lan.end(`192.0.2.${at}`), { uniform: () => drawn.pop() ?? 0.5 })
    })
    await pass(10_000)
    expect(all.map(({ instance }) => instance).toSorted()).toEqual(['pi1', 'pi1-2', 'pi1-3'])
    for (const one of all) expect(one.peers).toHaveLength(2)
    // Nobody else ever said that it had it.
    const said = lan.said.map(({ bytes }) => readMessage(bytes)!).filter(({ isResponse }) => isResponse)
    const holders = said
      .flatMap(({ answers }) => claimsOf(answers))
      .filter(({ instance }) => instance === 'pi1')
    expect(new Set(holders.map(({ host }) => host)).size).toBe(1)
  })

  it('stays with one of two that both have it when their networks become one, over both families', async () => {
    const { lan, lines, start, pass } = stage()
    lan.copies = 2
    lan.loses = () => true
    const all = [1, 2].map((at) => start(announcement('pi1'), lan.end(`192.0.2.${at}`)))
    await pass(5000)
    expect(all.map(({ instance }) => instance)).toEqual(['pi1', 'pi1'])
    lan.loses = () => false
    await pass(20_000)
    expect(all.map(({ instance }) => instance).toSorted()).toEqual(['pi1', 'pi1-2'])
    expect(all.map(names).flat().toSorted()).toEqual(['pi1', 'pi1-2'])
    expect(lines).toHaveLength(1)
  })

  it('stays with the one that has it though another one said once that it had it', async () => {
    const { lan, lines, start, pass } = stage()
    lan.copies = 2
    const a = start(announcement('pi1'), lan.end('192.0.2.1'))
    await pass(3000)
    lan.say('192.0.2.66', bogus('pi1', 'gone.local', '192.0.2.66'))
    await pass(3000)
    expect(a.instance).toBe('pi1')
    expect(lines).toEqual([])
  })

  it('costs few packets though somebody disputes every name for ever', async () => {
    const { lan, start, pass } = stage()
    const a = start(announcement('pi1'), lan.end('192.0.2.1'))
    for (let at = 0; at < 600; at++) {
      lan.say('192.0.2.66', bogus(a.instance, 'evil.local', '192.0.2.66'))
      await pass(100)
    }
    expect(lan.said.filter(({ address }) => address === '192.0.2.1').length).toBeLessThan(150)
    await pass(30_000)
    const b = start(announcement('pi2'), lan.end('192.0.2.2'))
    await pass(2000)
    expect(b.peers.map(({ nodeId }) => nodeId)).toContain('pi1')
  })
})

describe('strangers', () => {
  it('of any number push out neither the one that proved itself nor more than their own', async () => {
    const { lan, start, pass } = stage()
    const verified = new Set(['pi2'])
    const a = start(announcement('pi1'), lan.end('192.0.2.1'), {
      maxPeers: 100,
      isVerified: (nodeId) => verified.has(nodeId),
    })
    start(announcement('pi2'), lan.end('192.0.2.2'))
    start(announcement('pi3'), lan.end('192.0.2.3'))
    await pass(2000)
    for (let at = 0; at < 200; at++) lan.say('192.0.2.66', bogus(`bogus${at}`, `h${at}.local`, '192.0.2.66'))
    await pass(10)
    expect(a.peers).toHaveLength(2 + 32)
    expect(names(a)).toEqual(expect.arrayContaining(['pi2', 'pi3', 'bogus199']))
    for (let at = 0; at < 200; at++)
      lan.say(`192.0.2.${at + 4}`, bogus(`other${at}`, `o${at}.local`, `192.0.2.${at + 4}`))
    await pass(10)
    expect(a.peers).toHaveLength(100)
    expect(names(a)).toContain('pi2')
    expect(names(a)).not.toContain('pi3')
  })

  it('flooding are heard in part only', async () => {
    const { lan, start, pass } = stage()
    let changes = 0
    const a = start(announcement('pi1'), lan.end('192.0.2.1'), { changed: () => void changes++ })
    await pass(2000)
    for (let at = 0; at < 5000; at++) lan.say('192.0.2.66', bogus(`bogus${at}`, `h${at}.local`, '192.0.2.66'))
    await pass(49)
    expect(names(a)).toContain('bogus399')
    expect(names(a)).not.toContain('bogus4999')
    expect(changes).toBe(0)
    await pass(100)
    expect(changes).toBe(1)
  })

  it('with noise for packets change nothing', async () => {
    const { lan, start, pass } = stage()
    const a = start(announcement('pi1'), lan.end('192.0.2.1'))
    await pass(2000)
    const random = chance(5)
    const whole = bogus('pi9', 'h.local', '192.0.2.9')
    for (let at = 0; at < 300; at++) {
      const noise = Uint8Array.from({ length: Math.floor(random() * 600) }, () => random() * 256)
      lan.say('192.0.2.66', noise)
      lan.say('192.0.2.66', whole.slice(0, Math.floor(random() * whole.length)))
      await pass(50)
    }
    expect(a.peers).toEqual([])
  })

  it('cannot say goodbye for others, nor speak over them', async () => {
    const { lan, start, pass } = stage()
    const a = start(announcement('pi1'), lan.end('192.0.2.1'))
    start(announcement('pi2'), lan.end('192.0.2.2'))
    await pass(2000)
    const { host, instance } = a.peers[0]!
    const link = lan.end('192.0.2.2').link
    const goodbye = recordsOf(announcement('pi2'), { instance, host, port: 7070 }, link, 0)
    lan.say('192.0.2.66', writeMessage({ isResponse: true, answers: goodbye }))
    lan.say('192.0.2.66', bogus('pi2', 'evil.local', '192.0.2.66'))
    await pass(5)
    expect(a.peers.map(({ addresses }) => addresses.join()).toSorted()).toEqual(['192.0.2.2', '192.0.2.66'])
  })

  it('that answer from another port are not heard', async () => {
    const { lan, start, pass } = stage()
    const a = start(announcement('pi1'), lan.end('192.0.2.1'))
    await pass(2000)
    lan.say('192.0.2.66', bogus('pi9', 'h.local', '192.0.2.66'), 40_000)
    await pass(10)
    expect(a.peers).toEqual([])
  })
})

describe('a client that knows no multicast DNS', () => {
  it('is answered alone, with its question, and a limited number of times', async () => {
    const { lan, start, pass } = stage()
    start(announcement('pi1'), lan.end('192.0.2.1'))
    await pass(3000)
    const query = writeMessage({ id: 77, questions: [{ name: serviceType, type: 'PTR' }] })
    for (let at = 0; at < 100; at++) lan.say('192.0.2.9', query, 40_000)
    await pass(10)
    expect(lan.replies).toHaveLength(20)
    const { id, isResponse, questions, answers } = readMessage(lan.replies[0]!)!
    expect([id, isResponse, questions[0]!.name]).toEqual([77, true, serviceType])
    expect(answers[0]).toEqual({
      type: 'PTR',
      name: serviceType,
      ttl: 10,
      flush: false,
      data: instanceName('pi1'),
    })
  })

  it('learns that there are nodes by asking for the kinds of services', async () => {
    const { lan, start, pass } = stage()
    start(announcement('pi1'), lan.end('192.0.2.1'))
    await pass(3000)
    const before = lan.said.length
    lan.say('192.0.2.9', writeMessage({ questions: [{ name: allServices, type: 'PTR' }] }))
    await pass(200)
    const said = lan.said.slice(before).map(({ bytes }) => readMessage(bytes)!)
    const answers = said.filter(({ isResponse }) => isResponse).map((message) => message.answers)
    expect(answers).toEqual([[{ type: 'PTR', name: allServices, ttl: 20, flush: false, data: serviceType }]])
  })
})

describe('one who asks', () => {
  it('is not answered by those whom it names, and once by the others, however often it asks', async () => {
    const { clock, lan, start, pass } = stage()
    start(announcement('pi1'), lan.end('192.0.2.1'))
    start(announcement('pi2'), lan.end('192.0.2.2'))
    await pass(6000)
    const before = lan.said.length
    const known = {
      type: 'PTR',
      name: serviceType,
      ttl: 15,
      flush: false,
      data: instanceName('pi1'),
    } as const
    const query = writeMessage({ questions: [{ name: serviceType, type: 'PTR' }], answers: [known] })
    const asked = clock.now()
    for (let at = 0; at < 50; at++) {
      lan.say('192.0.2.9', query)
      await pass(10)
    }
    const answers = lan.said.slice(before).filter(({ bytes }) => readMessage(bytes)!.isResponse)
    expect(answers.map(({ address }) => address)).toEqual(['192.0.2.2'])
    expect(answers[0]!.at - asked).toBeLessThan(125)
  })
})
