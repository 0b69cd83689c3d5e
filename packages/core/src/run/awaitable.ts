// Values now or later: one executor serves both `run` and `runSync` by never making a promise where nothing waits.
import type { Awaitable } from './device.ts'

/** Applies `f` now if the value is there, otherwise when it comes. */
export function after<T, R>(value: Awaitable<T>, f: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(f) : f(value)
}

/** Runs `f` for each item in order, each after the one before has finished. */
export function inTurn<T>(
  items: readonly T[],
  f: (item: T, index: number) => Awaitable<void>,
  from = 0,
): Awaitable<void> {
  for (let i = from; i < items.length; i++) {
    const done = f(items[i]!, i)
    if (done instanceof Promise) return done.then(() => inTurn(items, f, i + 1))
  }
}

/** All values; a promise only if one of them is. */
export function all<T>(values: readonly Awaitable<T>[]): Awaitable<T[]> {
  return values.some((v) => v instanceof Promise) ? Promise.all(values) : (values as T[])
}

/**
 * Makes all of them or none: when one fails, now or later, those that were made are undone.
 * @param undo for each that was made, also one that is ready only after another has failed.
 */
export function allOrNone<T>(
  makers: readonly (() => Awaitable<T>)[],
  undo: (made: T) => void,
): Awaitable<T[]> {
  const made: T[] = []
  let failed = false
  const fail = (error: unknown): never => {
    failed = true
    made.splice(0).forEach(undo)
    throw error
  }
  const keep = (one: T): T => {
    if (failed) undo(one)
    else made.push(one)
    return one
  }
  const results = makers.map((make) => {
    const result = otherwise(() => after(make(), keep), fail)
    // When a later one fails at once, nobody is left to hear what becomes of this one.
    if (result instanceof Promise) result.catch(() => undefined)
    return result
  })
  return all(results)
}

/** Lets others have a turn when it is time for that. */
export interface Pause {
  /** A promise to wait for, or undefined to go on. */
  (): Promise<void> | undefined
  /** While this lasts, others have turns more often, and one soon. */
  during(work: Promise<unknown>): void
}

/** Runs `body` while it answers true; iterations that do not wait use no stack and no microtask. Between two of them it may `pause`. */
export function repeatWhile(body: () => Awaitable<boolean>, pause?: Pause): Awaitable<void> {
  for (;;) {
    const more = body()
    if (more instanceof Promise) return repeatLater(more, body, pause)
    if (!more) return
    const turn = pause?.()
    if (turn)
      return repeatLater(
        turn.then(() => true),
        body,
        pause,
      )
  }
}

async function repeatLater(
  first: Promise<boolean>,
  body: () => Awaitable<boolean>,
  pause: Pause | undefined,
): Promise<void> {
  for (let more: Awaitable<boolean> = await first; more; ) {
    const turn = pause?.()
    if (turn) await turn
    more = body()
    if (more instanceof Promise) more = await more
  }
}

/** A task of more than 50 ms is a long one to browsers: https://www.w3.org/TR/longtasks-1/ */
const turnMs = 50
/** While others are awaited, what they send waits no longer than this: less than a link of 1 Gb/s takes for a chunk of half a MiB. */
const busyTurnMs = 2

/** Time, and turns in it for others: that of a simulation, say. */
export interface TurnClock {
  /** Milliseconds since some fixed moment. */
  now(): number
  /** Calls `action` once, in `ms` milliseconds. */
  after(ms: number, action: () => void): unknown
}

/** How turns are taken. */
export interface TurnOptions {
  /** Is something under way that nobody told of with `during`? Default: no. */
  readonly isBusy?: () => boolean
  /** Default: the platform's time, with its timers and messages. */
  readonly clock?: TurnClock | undefined
}

/**
 * Pauses of a computation that otherwise never waits: timers, input and whoever aborts it get a turn every 50 ms, and every 2 ms while something
 * is under way.
 */
export function takingTurns({ isBusy = () => false, clock }: TurnOptions = {}): Pause {
  const now = (): number => (clock ?? performance).now()
  let began = now()
  let underWay = 0
  let isNew = false
  const pause = (): Promise<void> | undefined => {
    const busy = underWay > 0 || isBusy()
    if (!(busy && isNew) && now() - began < (busy ? busyTurnMs : turnMs)) return undefined
    isNew = false
    const turn = clock ? turnOf(clock) : busy ? shortTurn() : longTurn()
    return turn.then(() => {
      began = now()
    })
  }
  const ended = (): void => {
    underWay--
  }
  return Object.assign(pause, {
    during(work: Promise<unknown>): void {
      underWay++
      isNew = true
      work.then(ended, ended)
    },
  })
}

const turnOf = (clock: TurnClock): Promise<void> => new Promise((resolve) => void clock.after(0, resolve))
const longTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

/** A turn for messages and sockets; a timer would wait a millisecond, and four in a browser. */
function shortTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}

/** Runs `clean` when the work has ended, well or badly. */
export function lastly<T>(work: () => Awaitable<T>, clean: () => void): Awaitable<T> {
  let result: Awaitable<T>
  try {
    result = work()
  } catch (error) {
    clean()
    throw error
  }
  if (result instanceof Promise) return result.finally(clean)
  clean()
  return result
}

/** Calls `fail` with what the work throws, now or later. */
export function otherwise<T>(
  work: () => Awaitable<T>,
  fail: (error: unknown) => Awaitable<never>,
): Awaitable<T> {
  try {
    const result = work()
    return result instanceof Promise ? result.catch(fail) : result
  } catch (error) {
    return fail(error)
  }
}
