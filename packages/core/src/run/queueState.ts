// A bounded queue in memory whose operations wait their turn: the order in which they came is the order in which they are served.
import { ClosedError } from '../errors.ts'

/** How a queue is made. */
export interface QueueOptions {
  /** Its name in error messages. */
  readonly name: string
  /** Enqueuing waits while the queue holds so many elements. */
  readonly capacity: number
  /** Chooses which of `size` elements leaves next, 0 being the oldest; left out: the oldest. */
  readonly choose?: (size: number) => number
  /** Elements that stay in the queue until it is closed, so that a choice remains one. Default 0. */
  readonly minAfterDequeue?: number
}

/** A request that waits: it moves elements while it can, and says when it is done. */
interface Waiter {
  /** Does what can be done now. Answers true when nothing is left to wait for. */
  attempt(): boolean
  /** Ends the wait with an error; elements that it had taken go back. */
  fail(error: unknown): void
}

/** A first-in-first-out or shuffling queue of anything. Every wait ends when its signal is aborted; what was taken by then goes back. */
export class QueueState<T> {
  private readonly options: QueueOptions
  private readonly items: T[] = []
  private readonly enqueuing: Waiter[] = []
  private readonly dequeuing: Waiter[] = []
  private closed = false
  /** Counts elements that went in or out. */
  private moves = 0

  constructor(options: QueueOptions) {
    this.options = options
  }
  /** The elements in it now. */
  get size(): number {
    return this.items.length
  }
  /** Was it closed? Elements that are in it can still be taken. */
  get isClosed(): boolean {
    return this.closed
  }

  /**
   * Puts elements in, in order, waiting for room; all of them arrive or, when the wait is aborted, those that have had room.
   * A caller that must not lose any enqueues one at a time.
   * @throws ClosedError when the queue is closed; the reason of `signal` when it is aborted.
   */
  enqueue(items: readonly T[], signal?: AbortSignal): Promise<void> {
    if (this.closed) return Promise.reject(this.closedError('takes no more elements'))
    let next = 0
    return this.wait(this.enqueuing, signal, (done) => ({
      attempt: () => {
        for (; next < items.length && this.items.length < this.options.capacity; this.moves++)
          this.items.push(items[next++]!)
        if (next < items.length) return false
        done.resolve()
        return true
      },
      fail: done.reject,
    }))
  }

  /**
   * Takes `count` elements, waiting until there are so many. Nothing is taken before all are there, unless more are asked for than the queue can hold.
   * @throws ClosedError when the queue is closed and too short; the reason of `signal` when it is aborted: the queue is then as before.
   */
  dequeue(count: number, signal?: AbortSignal): Promise<T[]> {
    return this.take(count, false, signal)
  }

  /** As `dequeue`, but what is left in a closed queue counts as enough, if it is anything at all. */
  dequeueUpTo(count: number, signal?: AbortSignal): Promise<T[]> {
    return this.take(count, true, signal)
  }

  /**
   * Lets no more elements in. Waiting and later dequeues are served while elements last.
   * @param cancelPending also fails the enqueues that wait for room; otherwise they may still finish.
   */
  close({ cancelPending = false }: { readonly cancelPending?: boolean } = {}): void {
    this.closed = true
    if (cancelPending)
      for (const waiter of this.enqueuing.splice(0))
        waiter.fail(this.closedError('was closed while an enqueue waited'))
    this.serve()
  }

  private take(count: number, partial: boolean, signal: AbortSignal | undefined): Promise<T[]> {
    const taken: T[] = []
    return this.wait<T[]>(this.dequeuing, signal, (done) => {
      const finish = (): true => {
        done.resolve(taken)
        return true
      }
      const fail = (error: unknown): void => {
        this.items.unshift(...taken.splice(0))
        done.reject(error)
      }
      const attempt = (): boolean => {
        // A request larger than the queue takes piece by piece; any other waits until it can take all at once.
        const whole = Math.min(count, this.options.capacity - this.kept)
        const last = this.closed && this.enqueuing.length === 0
        const enough = last || this.available >= whole || taken.length > 0
        while (enough && taken.length < count && this.available > 0) {
          if (last && !partial && taken.length + this.items.length < count) break
          taken.push(this.items.splice(this.options.choose?.(this.items.length) ?? 0, 1)[0]!)
          this.moves++
        }
        if (taken.length === count) return finish()
        if (!last) return false
        if (partial && taken.length > 0) return finish()
        fail(
          this.closedError(`has ${this.items.length + taken.length} elements left where ${count} are wanted`),
        )
        return true
      }
      return { attempt, fail }
    })
  }

  /** Elements that must stay. */
  private get kept(): number {
    return this.closed ? 0 : (this.options.minAfterDequeue ?? 0)
  }
  private get available(): number {
    return this.items.length - this.kept
  }

  private wait<R>(
    line: Waiter[],
    signal: AbortSignal | undefined,
    make: (done: { resolve(value: R): void; reject(error: unknown): void }) => Waiter,
  ): Promise<R> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const { promise, resolve, reject } = Promise.withResolvers<R>()
    const stop = (): void => {
      const at = line.indexOf(waiter)
      if (at < 0) return
      line.splice(at, 1)
      waiter.fail(signal!.reason)
      this.serve()
    }
    const settle = (): void => signal?.removeEventListener('abort', stop)
    const waiter = make({
      resolve: (value) => {
        settle()
        resolve(value)
      },
      reject: (error) => {
        settle()
        reject(error)
      },
    })
    signal?.addEventListener('abort', stop, { once: true })
    line.push(waiter)
    this.serve()
    return promise
  }

  /** Serves the first of each line for as long as elements move. */
  private serve(): void {
    let before: number
    do {
      before = this.moves
      for (const line of [this.enqueuing, this.dequeuing]) while (line[0]?.attempt()) line.shift()
    } while (this.moves !== before)
  }

  private closedError(what: string): ClosedError {
    return new ClosedError(`queue '${this.options.name}' ${this.closed ? 'is closed and ' : ''}${what}`)
  }
}
