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

/** Runs `body` while it answers true; iterations that do not wait use no stack and no microtask. */
export function repeatWhile(body: () => Awaitable<boolean>): Awaitable<void> {
  for (;;) {
    const more = body()
    if (more instanceof Promise) return repeatLater(more, body)
    if (!more) return
  }
}

async function repeatLater(first: Promise<boolean>, body: () => Awaitable<boolean>): Promise<void> {
  for (let more = await first; more; more = await body());
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
export function otherwise<T>(work: () => Awaitable<T>, fail: (error: unknown) => never): Awaitable<T> {
  try {
    const result = work()
    return result instanceof Promise ? result.catch(fail) : result
  } catch (error) {
    return fail(error)
  }
}
