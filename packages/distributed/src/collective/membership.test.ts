import { ndarray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../clock.ts'
import { DeadlineError } from '../errors.ts'
import type { CallOptions, Connection, Handler, Message } from '../transport/contract.ts'
import { InProcessTransport } from '../transport/inProcess.ts'
import type { Group, MembershipOptions } from './index.ts'
import { Membership, Mesh } from './index.ts'

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

/** Members in one process, whose messages are counted, and of whom one is struck at a given message. */
class Village {
  readonly clock = new IdleClock()
  readonly #network = new InProcessTransport({ cluster: 'c', node: '', role: '' }, { clock: this.clock })
  readonly #connections = new Map<string, Connection[]>()
  readonly #homes = new Map<string, Mesh>()
  readonly #silent = new Set<string>()
  readonly options: MembershipOptions
  messages = 0
  /** Who is struck before which message. */
  strike: { readonly id: string; readonly at: number; readonly fate: Fate } | undefined

  constructor(options: MembershipOptions = {}) {
    this.options = options
  }

  /** A member that is connected to all others. */
  async settle(id: string): Promise<Membership> {
    const transport = this.#network.as({ cluster: 'c', node: id, role: 'worker' })
    const mesh = new Mesh(id, this.clock)
    await transport.listen(id, {
      connected: (connection) => mesh.connect(connection.peer.node, this.#watched(id, connection)),
    })
    for (const other of this.#homes.keys())
      mesh.connect(other, this.#watched(id, await transport.connect(other, {})))
    this.#homes.set(id, mesh)
    return new Membership(mesh, this.options)
  }

  /** All connections of a member break, and nobody finds it any more. */
  async kill(id: string): Promise<void> {
    this.#homes.delete(id)
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
    const { strike } = this
    if (strike?.at === this.messages++) {
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

/** A member's share of a step; the sum of several tells whose it is. */
const share = (id: string, step: number): number => 10 ** 'abcde'.indexOf(id) * (step + 1)
const sumOf = (members: readonly string[], step: number): number =>
  members.reduce((sum, id) => sum + share(id, step), 0)

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
    expect(this.log.has(step)).toBe(false)
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

async function founded(options: MembershipOptions = {}, founders = ids) {
  const village = new Village(options)
  const workers: Worker[] = []
  for (const id of founders) workers.push(new Worker(id, await village.settle(id)))
  const groups = await village.clock.run(
    Promise.all(workers.map(({ membership }) => membership.form(founders, wait))),
  )
  village.messages = 0
  return { village, workers, groups }
}

/** All do two steps, and one is struck at a message. */
async function scene(strike: Village['strike'], link: MembershipOptions['link']) {
  const { village, workers } = await founded({ link: link! })
  village.strike = strike
  const stop = new AbortController()
  const began = village.clock.now()
  const victim = workers.find(({ id }) => id === strike?.id)
  const rest = victim?.work(2, stop.signal).catch(() => undefined)
  const survivors = workers.filter((worker) => worker !== victim)
  await village.clock.run(Promise.all(survivors.map((worker) => worker.work(2))))
  const tookMs = village.clock.now() - began
  stop.abort(new Error('the scene is over'))
  await village.clock.run(Promise.resolve(rest))
  return { survivors, messages: village.messages, tookMs }
}

describe.each([
  ['tree', tree],
  ['ring', ring],
])('a group that sums over a %s', (_, link) => {
  it('does its steps together when nobody is struck', async () => {
    for (const { log } of (await scene(undefined, link)).survivors)
      expect([...log.values()]).toEqual([1111, 2222])
  })

  const cases = ids.flatMap((id) => (['dies', 'stalls'] as const).map((fate) => [id, fate] as const))
  it.each(cases)('has one result for each step when %s %s, at whatever message', async (id, fate) => {
    const { messages } = await scene(undefined, link)
    const others = ids.filter((other) => other !== id)
    const outcomes = new Set<string>()
    for (let at = 0; at < messages; at++) {
      const { survivors, tookMs } = await scene({ id, at, fate }, link)
      const logs = survivors.map(({ log }) => [...log])
      for (const log of logs) expect(log, `struck at message ${at}`).toEqual(logs[0])
      expect(logs[0]!.map(([step]) => step)).toEqual([0, 1])
      for (const [step, sum] of logs[0]!) expect([sumOf(ids, step), sumOf(others, step)]).toContain(sum)
      // The exchange and a leader that does not answer have deadlines, and so has a proposal.
      expect(tookMs).toBeLessThan(fate === 'dies' ? 1000 : 15_000)
      outcomes.add(logs[0]!.map(([step, sum]) => (sum === sumOf(ids, step) ? 'all' : 'others')).join())
    }
    expect([...outcomes].toSorted()).toEqual(['all,all', 'all,others', 'others,others'])
  })
})
