import { ndarray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../clock.ts'
import { DeadlineError } from '../errors.ts'
import type { CallOptions, Connection, Handler, Listener, Message } from '../transport/contract.ts'
import { InProcessTransport } from '../transport/inProcess.ts'
import type { Group, MembershipOptions } from './index.ts'
import { localMeshes, Membership, Mesh } from './index.ts'

/** Time that goes on when nothing is left to be done in the present. */
class IdleClock implements Clock {
  #time = 0
  readonly #timers = new Set<{ readonly at: number; readonly action: () => void }>()
  now(): number {
    return this.#time
  }
  after(ms: number, action: () => void): () => void {
    const timer = { at: this.#time + ms, action }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }
  /** Lets time pass until the work is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let over = false
    const stop = (): void => void (over = true)
    work.then(stop, stop)
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (over) return work
      const [next] = [...this.#timers].toSorted((a, b) => a.at - b.at)
      if (!next) throw new Error('all wait, and none for a time')
      this.#timers.delete(next)
      this.#time = next.at
      next.action()
    }
  }
}

/** What befalls a member: its connections break, or it falls silent without a word. */
type Fate = 'dies' | 'stalls'

interface Strike {
  readonly id: string
  readonly at: number
  readonly fate: Fate
}

/** Members in one process, whose messages are counted, and of whom one is struck at a given message. */
class Village {
  readonly clock = new IdleClock()
  readonly #network = new InProcessTransport({ cluster: 'c', node: '', role: '' }, { clock: this.clock })
  readonly #connections = new Map<string, Connection[]>()
  readonly #homes = new Map<string, Mesh>()
  readonly #silent = new Set<string>()
  readonly #listeners = new Map<string, Listener>()
  readonly options: MembershipOptions
  messages = 0
  /** Who is struck before which message. */
  strikes: readonly Strike[] = []

  constructor(options: MembershipOptions = {}) {
    this.options = options
  }

  /** A member that is connected to all others. */
  async settle(id: string): Promise<Membership> {
    const transport = this.#network.as({ cluster: 'c', node: id, role: 'worker' })
    const mesh = new Mesh(id, this.clock)
    const listener = await transport.listen(id, {
      connected: (connection) => mesh.connect(connection.peer.node, this.#watched(id, connection)),
    })
    this.#listeners.set(id, listener)
    for (const other of this.#homes.keys())
      mesh.connect(other, this.#watched(id, await transport.connect(other, {})))
    this.#homes.set(id, mesh)
    return new Membership(mesh, this.options)
  }

  /** All connections of a member break, and nobody finds it any more. */
  async kill(id: string): Promise<void> {
    this.#homes.delete(id)
    await this.#listeners.get(id)!.close()
    await Promise.all((this.#connections.get(id) ?? []).map((c) => c.close(new Error(`${id} was killed`))))
  }

  /** A member that was silent speaks again. */
  wake(id: string): void {
    this.#silent.delete(id)
  }

  #watched(id: string, inner: Connection): Connection {
    const here = this.#connections.get(id)
    if (here) here.push(inner)
    else this.#connections.set(id, [inner])
    const serve = (methods: Readonly<Record<string, Handler>>): void =>
      inner.serve(
        Object.fromEntries(
          Object.entries(methods).map(([name, handler]): [string, Handler] => [
            name,
            async (message, call) => {
              if (this.#silent.has(id)) return new Promise(() => {})
              const answer = await handler(message, call)
              await this.#takesTime(id, inner)
              return this.#passes(id) ? answer : new Promise(() => {})
            },
          ]),
        ),
      )
    const call = async (method: string, message: Message, options: CallOptions): Promise<Message> => {
      await this.#takesTime(id, inner)
      return this.#passes(id) ? inner.call(method, message, options) : this.#unanswered(options)
    }
    return {
      peer: inner.peer,
      closed: inner.closed,
      call,
      serve,
      traffic: () => inner.traffic(),
      close: (r) => inner.close(r),
    }
  }

  /** Every way takes a time of its own, so that messages do not come together. */
  #takesTime(id: string, { peer }: Connection): Promise<void> {
    const place = (node: string): number => 'abcde'.indexOf(node)
    return new Promise((resolve) => this.clock.after(1 + place(id) / 8 + place(peer.node) / 64, resolve))
  }

  /** A message leaves: does it get through? */
  #passes(id: string): boolean {
    const at = this.messages++
    for (const strike of this.strikes.filter((one) => one.at === at)) {
      if (strike.fate === 'dies') void this.kill(strike.id)
      else this.#silent.add(strike.id)
    }
    return !this.#silent.has(id)
  }

  #unanswered({ deadlineMs, signal }: CallOptions): Promise<Message> {
    return new Promise((_, reject) => {
      const disarm = this.clock.after(deadlineMs, () => reject(new DeadlineError('nobody heard it')))
      signal?.addEventListener('abort', () => {
        disarm()
        reject(signal.reason as Error)
      })
    })
  }
}

const wait = { deadlineMs: 60_000 }
const ids = ['a', 'b', 'c', 'd']
const pairs = [
  ['a', 'b'],
  ['b', 'c'],
  ['d', 'a'],
] as const

/** A member's share of a step; the sum of several tells whose it is. */
const share = (id: string, step: number): number => 10 ** 'abcde'.indexOf(id) * (step + 1)
const sumOf = (members: readonly string[], step: number): number =>
  members.reduce((sum, id) => sum + share(id, step), 0)

/** How many members' shares of step 0 are in a sum. */
const countOf = (sum: number): number => `${sum}`.replaceAll('0', '').length

/** A member that adds sums up, as training adds gradients to weights. */
class Worker {
  readonly id: string
  readonly membership: Membership
  /** What each step came to; steps from before it joined are missing. */
  readonly log = new Map<number, number>()
  step = 0
  state = 0

  constructor(id: string, membership: Membership) {
    this.id = id
    this.membership = membership
  }

  /** Steps until there were so many. */
  async work(steps: number, signal?: AbortSignal): Promise<void> {
    while (this.step < steps)
      await this.membership.step(async (group) => this.#add(group), {
        ...wait,
        signal,
        welcome: (group) => this.#welcome(group),
      })
  }

  async #add(group: Group): Promise<void> {
    const { step } = this
    const own = ndarray([share(this.id, step), 0, 0, 0])
    const [sum] = await group.allReduce('sum', [own], { op: 'sum', deadlineMs: 1000 })
    if (this.log.has(step)) throw new RangeError(`step ${step} was done twice`)
    this.log.set(step, sum!.data[0] as number)
    this.state += sum!.data[0] as number
    this.step++
  }

  async #welcome(group: Group): Promise<void> {
    const own = ndarray([this.state, this.step], 'float64')
    const [given] = await group.broadcast('welcome', [own], { deadlineMs: 1000 })
    this.state = given!.data[0] as number
    this.step = given!.data[1] as number
  }
}

const tree = { latencySeconds: 1, bytesPerSecond: 1e6 }
const ring = { latencySeconds: 0, bytesPerSecond: 1e6 }

async function founded(options: MembershipOptions = {}, founders: readonly string[] = ids) {
  const village = new Village(options)
  const workers: Worker[] = []
  for (const id of founders) workers.push(new Worker(id, await village.settle(id)))
  const groups = await village.clock.run(
    Promise.all(workers.map(({ membership }) => membership.form(founders, wait))),
  )
  village.messages = 0
  return { village, workers, groups }
}

/** All do two steps, and some are struck at a message. */
async function scene(strikes: readonly Strike[], founders: readonly string[], options: MembershipOptions) {
  const { village, workers } = await founded(options, founders)
  village.strikes = strikes
  const stop = new AbortController()
  const began = village.clock.now()
  const victims = workers.filter(({ id }) => strikes.some((strike) => strike.id === id))
  const rest = victims.map((victim) => victim.work(2, stop.signal).catch(() => undefined))
  const survivors = workers.filter((worker) => !victims.includes(worker))
  await village.clock.run(Promise.all(survivors.map((worker) => worker.work(2))))
  const tookMs = village.clock.now() - began
  stop.abort(new Error('the scene is over'))
  await village.clock.run(Promise.all(rest))
  return { logs: survivors.map(({ log }) => [...log]), messages: village.messages, tookMs }
}

describe.each([
  ['four that sum over a tree', ids, tree],
  ['three that sum over a ring', ids.slice(0, 3), ring],
] as const)('%s', (_, founders, link) => {
  it('does its steps together when nobody is struck', async () => {
    for (const log of (await scene([], founders, { link })).logs)
      expect(log).toEqual([0, 1].map((step) => [step, sumOf(founders, step)]))
  })

  const cases = founders.flatMap((id) => (['dies', 'stalls'] as const).map((fate) => [id, fate] as const))
  it.each(cases)('has one result for each step when %s %s, at whatever message', async (id, fate) => {
    const { messages } = await scene([], founders, { link })
    const others = founders.filter((other) => other !== id)
    const outcomes = new Set<string>()
    for (let at = 0; at < messages; at++) {
      const { logs, tookMs } = await scene([{ id, at, fate }], founders, { link })
      for (const log of logs) expect(log, `struck at message ${at}`).toEqual(logs[0])
      expect(logs[0]!.map(([step]) => step)).toEqual([0, 1])
      for (const [step, sum] of logs[0]!) expect([sumOf(founders, step), sumOf(others, step)]).toContain(sum)
      // The exchange and a leader that does not answer have deadlines, and so has a proposal.
      expect(tookMs).toBeLessThan(fate === 'dies' ? 1000 : 15_000)
      outcomes.add(logs[0]!.map(([step, sum]) => (sum === sumOf(founders, step) ? 'all' : 'others')).join())
    }
    expect([...outcomes].toSorted()).toEqual(['all,all', 'all,others', 'others,others'])
  })

  it('has one result for each step when a second one dies while the others agree', async () => {
    const { messages } = await scene([], founders, { link })
    const outcomes = new Set<string>()
    for (let at = 1; at < messages; at += Math.ceil(messages / 12))
      for (const [first, second] of pairs.filter((pair) => pair.every((id) => founders.includes(id))))
        for (const share of [0, 0.1, 0.2, 0.3, 0.5, 0.75]) {
          const later = 1 + Math.round(share * messages)
          const strikes = [
            { id: first, at, fate: 'dies' },
            { id: second, at: at + later, fate: 'dies' },
          ] as const
          const { logs, tookMs } = await scene(strikes, founders, { link, minMembers: 1 })
          for (const log of logs) expect(log, `struck at messages ${at} and ${at + later}`).toEqual(logs[0])
          expect(logs[0]!.map(([step]) => step)).toEqual([0, 1])
          expect(tookMs).toBeLessThan(10_000)
          outcomes.add(logs[0]!.map(([step, sum]) => countOf(sum / (step + 1))).join())
        }
    const [all, two] = [founders.length, founders.length - 2]
    expect([...outcomes]).toEqual(expect.arrayContaining([`${two},${two}`, `${all},${two}`]))
  })
})

describe('a proposal from nowhere', () => {
  it('keeps no group from forming', async () => {
    const [a, b, stranger] = (await localMeshes(['a', 'b', 'stranger'])) as [Mesh, Mesh, Mesh]
    const members = [new Membership(a), new Membership(b)]
    const last = { generation: Number.MAX_SAFE_INTEGER, members: [] }
    const proposals = ['a', 'b'].map((id) => stranger.call(id, 'prepare', last, { deadlineMs: 1000 }))
    for (const proposal of proposals) await expect(proposal).rejects.toThrow('has promised 0')
    const groups = await Promise.all(members.map((one) => one.form(['a', 'b'], { deadlineMs: 10_000 })))
    expect(groups.map((group) => group.members)).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
  })
})

describe('a group that members leave and join', () => {
  /** Steps of those who are there until each has done so many. */
  const all = (
    village: Village,
    workers: readonly Worker[],
    steps: number,
    more: readonly Promise<unknown>[] = [],
  ): Promise<unknown> =>
    village.clock.run(Promise.all([...workers.map((worker) => worker.work(steps)), ...more]))

  it('takes in who comes back, with the next step, and gives it its state', async () => {
    const lines: string[] = []
    const { village, workers } = await founded({ log: (line) => lines.push(line) })
    const [a, b, c, d] = workers as [Worker, Worker, Worker, Worker]
    await all(village, workers, 1)
    await village.kill('a')
    await all(village, [b, c, d], 2)
    const again = new Worker('a', await village.settle('a'))
    const joined = again.membership.join(wait)
    await all(village, [b, c, d], 4, [joined.then(() => again.work(4))])
    expect([...b.log.values()]).toEqual([1111, 2220, 3330, 4444])
    expect([...c.log]).toEqual([...b.log])
    expect([...d.log]).toEqual([...b.log])
    expect([...again.log]).toEqual([[3, 4444]])
    expect([again.state, a.state]).toEqual([b.state, 1111])
    expect(again.membership.group).toMatchObject({
      generation: b.membership.group!.generation,
      members: ['b', 'c', 'd', 'a'],
    })
    expect(lines.at(-1)).toMatch(/^'.' is in generation \d from exchange 3 on: b, c, d, a; new: a$/)
  })

  it('refuses what a member that was left out has to say, until it joins', async () => {
    const { village, workers } = await founded()
    const [a, b, c, d] = workers as [Worker, Worker, Worker, Worker]
    village.strikes = [{ id: 'a', at: 0, fate: 'stalls' }]
    const old = a.membership.group!
    const work = a.work(200)
    await all(village, [b, c, d], 2)
    village.wake('a')
    await all(village, [b, c, d], 200, [work])
    expect(old.ended!.message).toMatch(/generation 1 is over/)
    for (const { log } of [c, d]) expect([...log]).toEqual([...b.log])
    const late = [...a.log]
    expect(late.length).toBeGreaterThan(0)
    for (const [step, sum] of late) expect(sum).toBe(b.log.get(step))
    expect(a.state).toBe(b.state)
    expect(a.membership.group!.members.at(-1)).toBe('a')
  })

  it('takes in several at once, in the order of their names', async () => {
    const { village, workers } = await founded({}, ['b', 'd'])
    const others = [new Worker('c', await village.settle('c')), new Worker('a', await village.settle('a'))]
    const joined = others.map(async (worker) => {
      await worker.membership.join(wait)
      await worker.work(3)
    })
    await all(village, workers, 3, joined)
    expect(workers[0]!.membership.group!.members).toEqual(['b', 'd', 'a', 'c'])
    for (const worker of others) expect(worker.state).toBe(workers[0]!.state)
    expect(workers[0]!.log.get(2)).toBe(3 * 1111)
  })

  it('says who is missing when it is formed', async () => {
    const village = new Village()
    const [a, b] = [await village.settle('a'), await village.settle('b')]
    const forming = [a, b].map((membership) => membership.form(['a', 'b', 'c'], { deadlineMs: 500 }))
    const [first, second] = await village.clock.run(Promise.allSettled(forming))
    expect(first).toMatchObject({
      reason: {
        name: 'DeadlineError',
        message: "'a' is in no generation after 500 ms: a, b are there, c are not; all are wanted",
      },
    })
    expect(second).toMatchObject({ reason: { name: 'DeadlineError' } })
    expect(village.clock.now()).toBeLessThan(600)
  })

  it('goes on with no fewer members than it is told', async () => {
    const { village, workers } = await founded({ minMembers: 3 })
    const [, , c, d] = workers as [Worker, Worker, Worker, Worker]
    await village.kill('a')
    await village.kill('b')
    const results = await village.clock.run(Promise.allSettled([c, d].map((worker) => worker.work(1))))
    for (const result of results)
      expect(result).toMatchObject({
        reason: {
          name: 'DeadlineError',
          message: expect.stringContaining('c, d are there, a, b are not; at least 3 are wanted') as string,
        },
      })
  })

  it('does not go on in two parts', async () => {
    const { village, workers } = await founded()
    village.strikes = [{ id: 'a', at: 3, fate: 'stalls' }]
    const alone = workers[0]!.work(1).catch((error: Error) => error)
    await all(village, workers.slice(1), 1, [alone])
    expect(await alone).toMatchObject({
      name: 'DeadlineError',
      message: expect.stringContaining('a are there, b, c, d are not; more than half are wanted') as string,
    })
    expect(workers[0]!.log.size).toBe(0)
  })

  it('gives up a step that fails every time', async () => {
    const { village, workers } = await founded({}, ['a', 'b'])
    const sizes = [4, 5]
    const odd = workers.map(({ membership }, i) =>
      membership.step(
        (group) => group.allReduce('sum', [ndarray(new Float32Array(sizes[i]!))], { deadlineMs: 1000 }),
        wait,
      ),
    )
    for (const result of await village.clock.run(Promise.allSettled(odd)))
      expect(result).toMatchObject({ status: 'rejected' })
  })
})
