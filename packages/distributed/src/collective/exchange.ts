// One exchange: parts that begin as their data becomes ready, and one end, before which nobody is handed anything.
import type { NDArray } from '@shoal/core'
import { ValueError } from '@shoal/core'
import { asError, CancelledError } from '../errors.ts'
import type { Into, Message } from '../transport/contract.ts'
import type { ReduceOptions } from './allReduce.ts'
import { allReduce } from './allReduce.ts'
import { ExchangeError } from './exchangeError.ts'
import { broadcastFrom, gatherAll } from './gather.ts'
import type { ExchangeOptions, Group } from './group.ts'
import type { FinishedPart } from './progress.ts'
import type { Round } from './round.ts'

/** What a part of an exchange speaks to the other members through. */
export interface Channel {
  readonly rank: number
  readonly size: number
  /** Lays out a message for whoever asks; its tensors may not change any more, but by what those who asked have caused. */
  offer(tag: string, message: Message): void
  /** Takes what another rank lays out. Its tensors may be that rank's own memory, unless `into` gives other. */
  take(rank: number, tag: string, into?: Into): Promise<Message>
}

/** How a part comes to its result. */
export interface PartPlan<T> {
  /** What is exchanged, in words that must be the same at all members. */
  readonly signature: string
  readonly work: (channel: Channel) => Promise<T>
  /** Done when the result is handed out. Default: nothing. */
  readonly kept?: () => void
}

/** An exchange among the members of a group. It takes place for all of them or for none. */
export class Exchange {
  readonly key: string
  readonly #group: Group
  readonly #round: Round
  readonly #number: number
  readonly #options: ExchangeOptions
  readonly #abort = new AbortController()
  readonly #over = Promise.withResolvers<void>()
  readonly #parts = new Map<string, Promise<FinishedPart>>()
  /** What is being taken, for the message of who waits too long. */
  readonly #awaited = new Set<string>()
  readonly #disarm: () => void
  #state: 'open' | 'ending' | 'over' = 'open'

  /** Made by `Group.begin`. */
  constructor(group: Group, round: Round, key: string, options: ExchangeOptions) {
    const { deadlineMs, signal } = options
    this.key = key
    this.#group = group
    this.#round = round
    this.#number = group.progress.next
    this.#options = options
    this.#over.promise.catch(() => undefined)
    const giveUp = (): void =>
      group.fail(
        new CancelledError(
          `'${group.mesh.id}' gave up exchange '${key}': ${asError(signal?.reason).message}`,
        ),
      )
    signal?.addEventListener('abort', giveUp, { once: true })
    const disarm = group.mesh.clock.after(deadlineMs, () =>
      group.fail(group.late(key, this.#number, deadlineMs, this.#sayAwaited())),
    )
    this.#disarm = () => {
      disarm()
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /**
   * Adds arrays up, element by element, over all members; every member gets the same bits.
   * @param part names what is added up; the same name at all members, and every name once.
   * @param arrays of the same dtypes and shapes at all members; what is done with them after the call makes no difference.
   * @returns settles after `end`.
   * @throws ExchangeError when the exchange fails, ValueError for options out of range, DTypeError for dtypes that are not added up.
   */
  allReduce(
    part: string,
    arrays: readonly NDArray[],
    options: ReduceOptions = {},
  ): Promise<readonly NDArray[]> {
    return this.part(part, allReduce(arrays, options, this.#group))
  }

  /**
   * Gives every member the arrays of all, of any dtypes and shapes.
   * @returns by rank; settles after `end`.
   * @throws ExchangeError when the exchange fails.
   */
  allGather(part: string, arrays: readonly NDArray[]): Promise<readonly (readonly NDArray[])[]> {
    return this.part(part, gatherAll(arrays))
  }

  /**
   * Gives every member the arrays of one.
   * @param arrays what the root gives; those of the others are not looked at.
   * @param root a rank.
   * @returns settles after `end`.
   * @throws ExchangeError when the exchange fails.
   */
  broadcast(part: string, arrays: readonly NDArray[], root: number): Promise<readonly NDArray[]> {
    return this.part(part, broadcastFrom(arrays, root, this.#group.size))
  }

  /** Begins a part. Its result is handed out after `end`. @throws ExchangeError when the exchange fails. */
  part<T>(name: string, { signature, work, kept = () => {} }: PartPlan<T>): Promise<T> {
    if (this.#state !== 'open')
      return Promise.reject(this.#group.ended ?? new ValueError(`exchange '${this.key}' has ended`))
    if (this.#parts.has(name))
      return Promise.reject(new ValueError(`exchange '${this.key}' has a part '${name}' already`))
    const { retained } = this.#group.progress
    const finished = retained
      ? Promise.resolve(this.#repeated(retained.parts.get(name), name, signature))
      : this.#perform(name, signature, work, kept)
    this.#parts.set(name, finished)
    finished.catch(() => undefined)
    const result = Promise.all([finished, this.#over.promise]).then(([{ value }]) => value as T)
    // Whoever only awaits `end` hears of it there.
    result.catch(() => undefined)
    return result
  }

  /** Settles when this member has all that it needs of a part, whose result it gets after `end`. @throws ExchangeError when the exchange fails. */
  async arrived(part: string): Promise<void> {
    await this.#parts.get(part)
  }

  /**
   * No more parts begin; settles when all members have all results, which are handed out then.
   * @throws ExchangeError when the generation ended before that was known. What was exchanged may have been handed out to others: under the
   * next generation the same exchange is repeated, and answers with the same results if it was.
   */
  async end(): Promise<void> {
    if (this.#state !== 'open') return this.#over.promise
    this.#state = 'ending'
    try {
      const names = [...this.#parts.keys()]
      const values = await Promise.all(this.#parts.values())
      const { progress } = this.#group
      if (progress.retained) progress.retained = undefined
      else {
        const finished = {
          number: this.#number,
          key: this.key,
          parts: new Map(names.map((name, i) => [name, values[i]!])),
        }
        const { deadlineMs } = this.#options
        await this.#group.agree(this.#round, finished, { deadlineMs, signal: this.#abort.signal })
      }
      for (const { kept } of values) kept()
    } catch (thrown) {
      throw this.#group.failedWith(thrown)
    }
    this.#disarm()
    this.#group.left()
    this.#state = 'over'
    this.#over.resolve()
  }

  /** Gives the exchange up, for all members, unless it is over. */
  abandon(reason: unknown): void {
    if (this.#state === 'over') return
    const { message } = asError(reason)
    this.#group.fail(
      new CancelledError(`'${this.#group.mesh.id}' gave up exchange '${this.key}': ${message}`),
    )
  }

  /** The generation is over. */
  failed(error: ExchangeError): void {
    this.#disarm()
    this.#state = 'over'
    this.#over.reject(error)
    this.#abort.abort(error)
  }

  #repeated(part: FinishedPart | undefined, name: string, signature: string): FinishedPart {
    if (part?.signature === signature) return part
    throw new ExchangeError(
      `'${name}' of exchange '${this.key}' was ${part?.signature ?? 'no part'} when it was interrupted, and is ${signature} now`,
    )
  }

  async #perform<T>(
    part: string,
    signature: string,
    work: PartPlan<T>['work'],
    kept: () => void,
  ): Promise<FinishedPart> {
    const { board } = this.#round
    const group = this.#group
    board.declare(part, signature)
    const { deadlineMs } = this.#options
    /** Ranks that were told what this part is. Where one of them exchanges something else the whole exchange fails, so that once is enough. */
    const told = new Set<number>()
    const channel: Channel = {
      rank: group.rank,
      size: group.size,
      offer: (tag, message) => board.offer(part, tag, message),
      take: async (rank, tag, into) => {
        const id = group.members[rank]!
        const what = `'${part}' ${tag} of '${id}'`
        this.#awaited.add(what)
        const asked = { generation: group.generation, number: this.#number, part, tag }
        const fields = told.has(rank) ? asked : { ...asked, signature }
        told.add(rank)
        const message = await group.mesh.call(id, 'take', fields, {
          deadlineMs,
          signal: this.#abort.signal,
          into,
        })
        this.#awaited.delete(what)
        return message
      },
    }
    try {
      return { signature, value: await work(channel), kept }
    } catch (thrown) {
      throw group.failedWith(thrown)
    }
  }

  #sayAwaited(): string {
    const { missing } = this.#round
    if (this.#awaited.size > 0) return [...this.#awaited].slice(0, 4).join(', ')
    if (this.#state === 'open') return 'the rest of its own data'
    return missing.length > 0
      ? `the word of ${missing.map((id) => `'${id}'`).join(' and ')}`
      : 'the decision of rank 0'
  }
}
