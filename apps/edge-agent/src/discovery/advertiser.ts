// The part that is found: it asks whether its name is free, says what its node is, answers who asks, and says goodbye. RFC 6762, sections 6 to 10.
import type { Clock } from '@shoal/distributed/peers'
import { Allowance } from './allowance.ts'
import type { Link } from './links.ts'
import type { Heard, Medium } from './medium.ts'
import { type Message, sameName, type ServiceRecord, writeMessage } from './message.ts'
import {
  allServices,
  type Announcement,
  type Claim,
  claimsOf,
  instanceLabel,
  instanceName,
  recordsOf,
  serviceRecord,
  serviceType,
} from './records.ts'

/** What an advertiser needs. */
export interface AdvertiserOptions {
  readonly said: Announcement
  readonly medium: Pick<Medium, 'send' | 'reply' | 'port'>
  readonly clock: Clock
  /** Evenly from 0 to below 1: neighbours that start at once are not to speak at once. */
  readonly uniform: () => number
  readonly ttlSeconds: number
  /** Told when another node had the name already. */
  readonly renamed: (from: string, to: string, holder: string) => void
}

const probes = 3
const probeMs = 250
/** How many announcements follow the first one with pauses that double. RFC 6762, section 8.3. */
const firstAnnouncements = 3
/** How long the loser of two that ask for a name at once waits for the winner to have it. */
const yieldMs = 1000
/** What one link is told at most once in this time; those who ask for a name must know sooner. */
const repeatMs = 1000
const defendMs = 250
/** After so many conflicts within the window the name is asked for only so often. */
const manyConflicts = 15
const conflictWindowMs = 10_000
const patienceMs = 5000

/** What is under way on one link. */
interface OnLink {
  readonly link: Link
  /** Is the name this node's here; is it being asked for; or is that still to come? What others say before that may be old. */
  phase: 'waiting' | 'asking' | 'claimed'
  /** When all was said last. */
  saidAt: number
  /** Calls off the next step: a probe, or the next announcement. */
  step: () => void
  /** Calls off an answer that waits for its moment. */
  answer: (() => void) | undefined
  /** How often those may be answered who must be answered alone. */
  readonly alone: Allowance
}

/** Advertises one node on every link. */
export class Advertiser {
  readonly #options: AdvertiserOptions
  readonly #links = new Map<string, OnLink>()
  readonly #host: string
  readonly #conflicts: number[] = []
  #names = 1
  #instance: string

  constructor(options: AdvertiserOptions) {
    this.#options = options
    const { said, uniform } = options
    this.#instance = instanceLabel(said.nodeId, '')
    // Another host name for each run: nobody else's, and no address of an earlier run counts for it.
    const run = Math.floor(uniform() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
    this.#host = `${instanceLabel(said.nodeId, `-${run}`)}.local`
  }

  /** The name that this node has, or asks for. */
  get instance(): string {
    return this.#instance
  }

  /** Is this the host of this node itself? */
  isSelf(host: string): boolean {
    return sameName(host, this.#host)
  }

  /** Begins on links that are new, or have other addresses now; forgets those that are gone. */
  linksChanged(links: readonly Link[]): void {
    const { clock } = this.#options
    for (const [name, state] of this.#links) {
      if (links.includes(state.link)) continue
      rest(state)
      this.#links.delete(name)
    }
    for (const link of links) {
      if (this.#links.has(link.name)) continue
      const idle = { phase: 'waiting' as const, saidAt: -Infinity, step: () => {}, answer: undefined }
      const state: OnLink = { ...idle, link, alone: new Allowance(clock, 10, 20) }
      this.#links.set(link.name, state)
      this.#ask(state)
    }
  }

  /** Takes a packet that was heard. */
  heard(message: Message, from: Heard): void {
    const state = this.#links.get(from.link)
    if (!state) return
    const { isResponse, answers, authorities, additionals } = message
    if (isResponse) this.#dispute([...answers, ...additionals], from, state)
    else {
      this.#contend(authorities, state)
      this.#answer(message, from, state)
    }
  }

  /** Says goodbye on every link, and nothing from then on. */
  close(): void {
    for (const state of this.#links.values()) {
      rest(state)
      if (state.phase === 'claimed') this.#say(state, 0)
    }
    this.#links.clear()
  }

  get #claim(): Claim {
    return { instance: this.#instance, host: this.#host, port: this.#options.said.port }
  }

  /** Asks three times whether anybody has the name, and takes it where nobody answers. */
  #ask(state: OnLink, afterMs = this.#options.uniform() * probeMs): void {
    const { clock, medium, ttlSeconds } = this.#options
    rest(state)
    state.phase = 'waiting'
    const probe = (left: number): void => {
      if (left === 0) {
        state.phase = 'claimed'
        this.#announce(state, 0)
        return
      }
      state.phase = 'asking'
      const questions = [{ name: instanceName(this.#instance), type: 'ANY' }]
      const authorities = [{ ...serviceRecord(this.#claim, ttlSeconds), flush: false }]
      medium.send(state.link.name, writeMessage({ questions, authorities }))
      state.step = clock.after(probeMs, () => probe(left - 1))
    }
    state.step = clock.after(Math.max(afterMs, this.#patience()), () => probe(probes))
  }

  /** Says all: four times with growing pauses, for packets get lost, and from then on twice within the time for which it counts. */
  #announce(state: OnLink, said: number): void {
    const { clock, uniform, ttlSeconds } = this.#options
    this.#say(state, ttlSeconds)
    const steadyMs = ttlSeconds * (450 + 50 * uniform())
    const nextMs = said < firstAnnouncements ? Math.min(1000 * 2 ** said, steadyMs) : steadyMs
    state.step = clock.after(nextMs, () => this.#announce(state, said + 1))
  }

  #say(state: OnLink, ttlSeconds: number): void {
    const { medium, said, clock } = this.#options
    state.saidAt = clock.now()
    const answers = recordsOf(said, this.#claim, state.link, ttlSeconds)
    medium.send(state.link.name, writeMessage({ isResponse: true, answers }))
  }

  /** Another node speaks as the holder of this one's name. */
  #dispute(records: readonly ServiceRecord[], from: Heard, state: OnLink): void {
    const disputed = claimsOf(records.filter(({ ttl }) => ttl !== 0)).some((claim) => this.#rivals(claim))
    if (!disputed || state.phase === 'waiting') return
    const { clock, renamed } = this.#options
    this.#conflicts.push(clock.now())
    if (this.#conflicts.length > manyConflicts) this.#conflicts.shift()
    if (state.phase === 'claimed') {
      // Both hold it: this one asks again. The other answers, or asks as well, and the order of their claims decides.
      this.#ask(state)
      return
    }
    const before = this.#instance
    for (const other of this.#links.values()) if (other.phase === 'claimed') this.#say(other, 0)
    this.#instance = instanceLabel(this.#options.said.nodeId, `-${++this.#names}`)
    for (const other of this.#links.values()) this.#ask(other)
    renamed(before, this.#instance, from.address)
  }

  /** Another node asks for the same name: whose claim comes later in the order of bytes has it. RFC 6762, section 8.2. */
  #contend(authorities: readonly ServiceRecord[], state: OnLink): void {
    if (state.phase !== 'asking') return
    const rivals = claimsOf(authorities).filter((claim) => this.#rivals(claim))
    if (rivals.some((claim) => comesBefore(this.#claim, claim))) this.#ask(state, yieldMs)
  }

  #rivals(claim: Claim): boolean {
    return sameName(claim.instance, this.#instance) && !this.isSelf(claim.host)
  }

  #patience(): number {
    const now = this.#options.clock.now()
    const oldest = this.#conflicts[0] ?? -Infinity
    return this.#conflicts.length === manyConflicts && now - oldest < conflictWindowMs ? patienceMs : 0
  }

  #answer({ questions, answers, authorities, id }: Message, from: Heard, state: OnLink): void {
    const { medium, ttlSeconds } = this.#options
    if (state.phase !== 'claimed') return
    const name = instanceName(this.#instance)
    const asksFor = (wanted: string): boolean => questions.some((asked) => sameName(asked.name, wanted))
    const isAsked = asksFor(name) || asksFor(this.#host)
    const isListed = asksFor(serviceType)
    const areKinds = asksFor(allServices)
    if (!(isAsked || isListed || areKinds)) return
    if (from.port !== medium.port) this.#answerAlone({ questions, id }, areKinds, from, state)
    else {
      if (areKinds && state.alone.take())
        medium.send(state.link.name, writeMessage({ isResponse: true, answers: [kinds(ttlSeconds)] }))
      const isKnown = answers.some(
        ({ type, data, ttl }) => type === 'PTR' && sameName(data, name) && ttl >= ttlSeconds / 2,
      )
      if (isAsked || (isListed && !isKnown)) this.#answerAll(authorities.length > 0, isListed, state)
    }
  }

  /** Answers one that knows no multicast DNS: it wants its question back, and nothing for long. RFC 6762, section 6.7. */
  #answerAlone(
    asked: Pick<Message, 'questions' | 'id'>,
    areKinds: boolean,
    from: Heard,
    state: OnLink,
  ): void {
    if (!state.alone.take()) return
    const { medium, said, ttlSeconds } = this.#options
    const short = Math.min(ttlSeconds, 10)
    const records = areKinds ? [kinds(short)] : recordsOf(said, this.#claim, state.link, short)
    const answers = records.map((record) => ({ ...record, flush: false }))
    medium.reply(from, writeMessage({ ...asked, isResponse: true, answers }))
  }

  /** Answers everybody on the link, once for all who asked meanwhile; after a moment where many have an answer. */
  #answerAll(isProbe: boolean, isShared: boolean, state: OnLink): void {
    const { clock, uniform, ttlSeconds } = this.#options
    if (state.answer && !isProbe) return
    state.answer?.()
    const waitMs = isShared ? 20 + 100 * uniform() : 0
    const earliest = state.saidAt + (isProbe ? defendMs : repeatMs)
    state.answer = clock.after(Math.max(waitMs, earliest - clock.now()), () => {
      state.answer = undefined
      this.#say(state, ttlSeconds)
    })
  }
}

/** The record that tells that there are nodes at all. */
const kinds = (ttl: number): ServiceRecord => ({
  type: 'PTR',
  name: allServices,
  ttl,
  flush: false,
  data: serviceType,
})

function rest(state: OnLink): void {
  state.step()
  state.answer?.()
  state.answer = undefined
}

/** Is the first claim's record the smaller one? Priority and weight are alike; names count as the bytes that travel. */
function comesBefore(a: Claim, b: Claim): boolean {
  if (a.port !== b.port) return a.port < b.port
  const bytes = ({ host }: Claim) =>
    Buffer.concat(host.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])))
  return Buffer.compare(bytes(a), bytes(b)) < 0
}
