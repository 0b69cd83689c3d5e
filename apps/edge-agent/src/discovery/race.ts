// Happy eyeballs: the addresses of one peer are tried one after the other, each a little later, until one of them leads to it. After RFC 8305.
import { CancelledError, type Clock, type Connection, type ConnectOptions } from '@shoal/distributed/peers'
import { familyOf } from './links.ts'
import { type Problem, problemOf } from './problem.ts'

/** What is got by reaching a peer: a connection, of which only who is there and its end matter here. */
export type Reached = Pick<Connection, 'peer' | 'closed' | 'close'>

/** Connects to `host:port`; a transport's `connect` does. */
export type Reach = (address: string, options: ConnectOptions) => Promise<Reached>

/** So many connections may be under way at once, over all peers. */
export class Slots {
  #free: number

  constructor(most: number) {
    this.#free = most
  }

  /** Is there one left? */
  get free(): boolean {
    return this.#free > 0
  }

  /** Takes one, if there is one. */
  take(): boolean {
    if (this.#free === 0) return false
    this.#free--
    return true
  }

  /** Gives back the one that was taken. */
  give(): void {
    this.#free++
  }
}

/** How to race. */
export interface RaceOptions {
  readonly reach: Reach
  readonly clock: Clock
  readonly slots: Slots
  /** How long the next address waits for the one before it. */
  readonly staggerMs: number
  /** How long one attempt may take. */
  readonly deadlineMs: number
  readonly signal: AbortSignal
  /** Says why somebody who answered is not the one that is looked for; nothing where it is. */
  readonly judge: (reached: Reached) => Problem | undefined
  /** Told how each attempt ended. */
  readonly tried: (address: string, problem: Problem | undefined) => void
}

/** What a race has won. */
export interface Won<T> {
  readonly address: string
  readonly connection: T
}

/**
 * Tries addresses in their order, and answers with the first connection to the right peer; undefined where none leads there, or the
 * signal was aborted. Of all others that were made none stays open.
 */
export function race(addresses: readonly string[], options: RaceOptions): Promise<Won<Reached> | undefined> {
  const { reach, clock, slots, staggerMs, deadlineMs, signal, judge, tried } = options
  const waiting = [...addresses]
  const { promise, resolve } = Promise.withResolvers<Won<Reached> | undefined>()
  const underWay = new Set<AbortController>()
  let over = false
  let disarm = (): void => {}

  const finish = (won: Won<Reached> | undefined): void => {
    over = true
    disarm()
    signal.removeEventListener('abort', giveUp)
    for (const loser of underWay)
      loser.abort(new CancelledError('another address was faster, or nobody waits any more'))
    resolve(won)
  }
  const giveUp = (): void => finish(undefined)

  const attempt = async (address: string): Promise<void> => {
    const control = new AbortController()
    underWay.add(control)
    try {
      const connection = await reach(address, { deadlineMs, signal: control.signal })
      underWay.delete(control)
      if (over) {
        void connection.close()
        return
      }
      const problem = judge(connection)
      tried(address, problem)
      if (problem) void connection.close()
      else finish({ address, connection })
    } catch (thrown) {
      if (!over) tried(address, problemOf(thrown))
    } finally {
      slots.give()
      underWay.delete(control)
      if (!over) next()
    }
  }
  const next = (): void => {
    disarm()
    if (waiting.length === 0) {
      if (underWay.size === 0) finish(undefined)
      return
    }
    disarm = clock.after(staggerMs, next)
    if (!slots.take()) return
    void attempt(waiting.shift()!)
  }

  signal.addEventListener('abort', giveUp, { once: true })
  if (signal.aborted) giveUp()
  else next()
  return promise
}

/** The addresses in the order in which to try them: what led there before, then IPv6 and IPv4 in turns; names come with IPv4. */
export function inOrder(addresses: readonly string[], before: string | undefined): readonly string[] {
  const rest = addresses.filter((address) => address !== before)
  const isV6 = (address: string): boolean => familyOf(hostOf(address)) === 'ipv6'
  const v6 = rest.filter(isV6)
  const v4 = rest.filter((address) => !isV6(address))
  const turns = Array.from({ length: Math.max(v6.length, v4.length) }, (_, at) => [v6[at], v4[at]])
  return [before, ...turns.flat()].filter(
    (address) => address !== undefined && addresses.includes(address),
  ) as string[]
}

/** `[fe80::1%eth0]:80` or `192.0.2.1:80` without the port and the brackets. */
export const hostOf = (address: string): string =>
  address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1')
