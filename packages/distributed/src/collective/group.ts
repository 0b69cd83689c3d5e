// One generation of equals: ordered members that exchange, one exchange after the other, until one of them fails and it is over for all.
import type { NDArray } from '@shoal/core'
import { ValueError } from '@shoal/core'
import {
  asError,
  CancelledError,
  ConnectionLostError,
  DeadlineError,
  ProtocolError,
  RemoteError,
} from '../errors.ts'
import type { Link } from '../placement/machine.ts'
import type { Message } from '../transport/contract.ts'
import type { ReduceOptions } from './allReduce.ts'
import { Exchange } from './exchange.ts'
import { ExchangeError } from './exchangeError.ts'
import type { Head } from './heads.ts'
import type { Mesh } from './mesh.ts'
import { acknowledged } from './mesh.ts'
import type { Finished, Progress } from './progress.ts'
import { flagMessage, Round } from './round.ts'
import { childrenOf, parentOf } from './topology.ts'

/** Who takes part in a generation. */
export interface GenerationSpec {
  /** Grows with each generation. */
  readonly number: number
  /** All members in the order of their ranks. */
  readonly members: readonly string[]
  /** Those of them that are new, or have lost what they had: the others give them their state. Default: none. */
  readonly newcomers?: readonly string[]
}

/** How an exchange is made. */
export interface ExchangeOptions {
  /** Milliseconds from its beginning until it fails at all members; the slowest member's computation is within it. */
  readonly deadlineMs: number
  /** Gives it up, for all members. */
  readonly signal?: AbortSignal | undefined
}

/** Links of a local network: 0.2 ms and 1 Gb/s. */
export const localNetwork: Link = { latencySeconds: 2e-4, bytesPerSecond: 1.17e8 }

/** Telling others of a failure is worth so long. */
const tellingMs = 1000

/** The members of some exchanges, as one of them sees the others. */
export class Group {
  readonly generation: number
  /** Member ids by rank. */
  readonly members: readonly string[]
  /** Members that are in need of a state; rank 0 never is, unless all are. */
  readonly newcomers: readonly string[]
  /** The rank of this member. */
  readonly rank: number
  /** What the way from one member to another is like; decides between ring and tree, so it must be the same at all. */
  readonly link: Link
  readonly mesh: Mesh
  readonly progress: Progress
  readonly #rounds = new Map<number, Round>()
  readonly #stopWatching: () => void
  #exchange: Exchange | undefined
  #ended: ExchangeError | undefined
  #endsNext = false

  /** @throws ValueError for members that are named twice, or do not include this one. */
  constructor(
    mesh: Mesh,
    { number, members, newcomers = [] }: GenerationSpec,
    progress: Progress,
    link: Link,
  ) {
    this.rank = members.indexOf(mesh.id)
    if (this.rank < 0 || new Set(members).size < members.length)
      throw new ValueError(`members are distinct and include '${mesh.id}': ${members.join(', ')}`)
    this.mesh = mesh
    this.generation = number
    this.members = members
    this.newcomers = newcomers
    this.progress = progress
    this.link = link
    this.#stopWatching = mesh.onLost((id, error) => members.includes(id) && this.fail(error))
    const unreached = members.find((id) => !mesh.reaches(id))
    if (unreached !== undefined)
      this.fail(new ConnectionLostError(`'${mesh.id}' has no connection to '${unreached}'`))
  }

  /** The number of members. */
  get size(): number {
    return this.members.length
  }

  /** Why no further exchange can be made; undefined while one can. */
  get ended(): ExchangeError | undefined {
    return this.#ended
  }

  /**
   * Begins an exchange. Members make the same exchanges in the same order, one at a time. Where the last one was decided while this member
   * could not learn of it, the exchange that it makes next answers with the results of that one, whatever it is given.
   * @param key says what is exchanged; members that do not agree on it fail.
   * @throws ExchangeError when the generation is over, ValueError when another exchange is not ended.
   */
  begin(key: string, options: ExchangeOptions): Exchange {
    if (this.#exchange)
      throw new ValueError(
        `exchange '${key}' begins before '${this.#exchange.key}' has ended: they go one after the other`,
      )
    const { retained } = this.progress
    if (retained && retained.key !== key)
      throw new ValueError(
        `exchange '${retained.key}' was interrupted and is to be repeated first, not '${key}'`,
      )
    if (!retained && this.#ended) throw this.#ended
    if (options.signal?.aborted)
      throw new CancelledError(`exchange '${key}' was given up before it began`, {
        cause: options.signal.reason,
      })
    this.#exchange = new Exchange(this, this.#roundAt(this.progress.next), key, options)
    return this.#exchange
  }

  /**
   * Adds arrays up, element by element, over all members: `Exchange.allReduce` as an exchange of its own.
   * @throws ExchangeError, ValueError, DTypeError.
   */
  async allReduce(
    key: string,
    arrays: readonly NDArray[],
    { deadlineMs, signal, ...options }: ReduceOptions & ExchangeOptions,
  ): Promise<readonly NDArray[]> {
    return this.#alone(key, { deadlineMs, signal }, (exchange) => exchange.allReduce('all', arrays, options))
  }

  /** Gives everybody the arrays of every member, by rank: `Exchange.allGather` as an exchange of its own. @throws ExchangeError. */
  async allGather(
    key: string,
    arrays: readonly NDArray[],
    options: ExchangeOptions,
  ): Promise<readonly (readonly NDArray[])[]> {
    return this.#alone(key, options, (exchange) => exchange.allGather('all', arrays))
  }

  /** Gives everybody the arrays of one member: `Exchange.broadcast` as an exchange of its own. @throws ExchangeError. */
  async broadcast(
    key: string,
    arrays: readonly NDArray[],
    { root = 0, ...options }: ExchangeOptions & { readonly root?: number },
  ): Promise<readonly NDArray[]> {
    return this.#alone(key, options, (exchange) => exchange.broadcast('all', arrays, root))
  }

  /** Settles when all members have come here. @throws ExchangeError. */
  async barrier(key: string, options: ExchangeOptions): Promise<void> {
    await this.begin(key, options).end()
  }

  async #alone<T>(
    key: string,
    options: ExchangeOptions,
    act: (exchange: Exchange) => Promise<T>,
  ): Promise<T> {
    const exchange = this.begin(key, options)
    try {
      const result = act(exchange)
      await exchange.end()
      return await result
    } catch (thrown) {
      exchange.abandon(thrown)
      throw thrown
    }
  }

  /** Ends the generation with the next exchange that is decided; asked of rank 0, whose decision it is. */
  endNext(): void {
    this.#endsNext = true
  }

  /**
   * Ends the generation at once, for all members.
   * @param tell whether the others are told; they are not by whom they told.
   */
  fail(reason: Error, tell = true): void {
    if (this.#ended) return
    const why =
      reason instanceof RemoteError && reason.remoteName === 'ExchangeError'
        ? reason.remoteMessage
        : reason.message
    const own = why.startsWith(this.#over) ? why : `${this.#over}: ${why}`
    this.#end(new ExchangeError(own, { cause: reason }))
    if (!tell) return
    const fields = { generation: this.generation, reason: own.slice(0, 1000) }
    for (const id of this.members)
      if (id !== this.mesh.id)
        this.mesh.call(id, 'broken', fields, { deadlineMs: tellingMs, urgent: true }).catch(() => undefined)
  }

  get #over(): string {
    return `generation ${this.generation} is over`
  }

  #end(error: ExchangeError): void {
    this.#ended = error
    this.#stopWatching()
    for (const round of this.#rounds.values()) round.end(error)
    this.#exchange?.failed(error)
    this.#exchange = undefined
  }

  /** Lets all members confirm an exchange, and settles when it is decided. Results may be handed out from then on. */
  async agree(round: Round, finished: Finished, options: ExchangeOptions): Promise<void> {
    const { number, key } = finished
    const { rank, generation } = this
    await round.allConfirmed(key)
    if (this.#ended) throw this.#ended
    let decision = { ends: this.#endsNext }
    if (rank > 0) {
      this.progress.inDoubt = finished
      const fields = { generation, number, key }
      const answer = await this.mesh.call(this.members[parentOf(rank)]!, 'confirm', fields, {
        ...options,
        urgent: true,
      })
      // What comes after the generation has ended comes too late: this member has said already that it does not know.
      if (this.#ended) throw this.#ended
      decision = { ends: answer.head[0] === 1 }
    }
    this.progress.next = number + 1
    this.progress.inDoubt = undefined
    round.decide(decision)
    round.board.end(new ExchangeError(`exchange ${number} is over`))
    this.#rounds.delete(number)
    this.left()
    if (decision.ends)
      this.#end(new ExchangeError(`${this.#over}: others wait to join after exchange ${number}`))
  }

  /** The exchange that was begun is no more. */
  left(): void {
    this.#exchange = undefined
  }

  /** Serves a call of another member. @throws ExchangeError, ProtocolError. */
  async served(
    method: 'take' | 'confirm' | 'broken',
    from: string,
    head: Head,
    signal: AbortSignal,
  ): Promise<Message> {
    const rank = this.members.indexOf(from)
    if (rank < 0) throw new ProtocolError(`'${from}' is no member of generation ${this.generation}`)
    if (method === 'broken') {
      this.fail(new ExchangeError(head.text('reason')), false)
      return acknowledged
    }
    const round = this.#roundAt(head.whole('number'))
    if (method === 'take') {
      const signature = head.has('signature') ? head.text('signature') : undefined
      return round.board.take({ part: head.text('part'), tag: head.text('tag'), signature }, signal)
    }
    if (parentOf(rank) !== this.rank) throw new ProtocolError(`'${from}' is not below '${this.mesh.id}'`)
    return flagMessage((await round.confirm(from, head.text('key'))).ends)
  }

  /** The present exchange, or the one after it, which others may have begun. */
  #roundAt(number: number): Round {
    if (this.#ended && !this.progress.retained) throw this.#ended
    const { next } = this.progress
    if (number < next || number > next + 1)
      throw new ExchangeError(`exchange ${number} is asked for where exchange ${next} is next`)
    let round = this.#rounds.get(number)
    if (!round) {
      const below = childrenOf(this.rank, this.size).map((rank) => this.members[rank]!)
      this.#rounds.set(number, (round = new Round(this.mesh.id, below)))
    }
    return round
  }

  /** The error for an exchange that took too long. */
  late(key: string, number: number, deadlineMs: number, awaited: string): Error {
    return new DeadlineError(
      `exchange ${number}, '${key}', of '${this.mesh.id}' was not over within ${deadlineMs} ms: it awaits ${awaited}`,
    )
  }

  /** Ends the generation because of what a part of an exchange has thrown; answers why it is over. */
  failedWith(thrown: unknown): ExchangeError {
    this.fail(asError(thrown))
    return this.#ended!
  }
}
