// What a program has begun and not yet taken up: work that goes on beside its kernels, with host memory of its own.
import { InternalError, speakingOf } from '../errors.ts'
import type { Node } from '../graph/graph.ts'
import type { NDArray } from '../ndarray.ts'
import type { Pause } from './awaitable.ts'
import type { Awaitable } from './device.ts'

/** The work under way of one program, by the node that began it. */
export class Flights {
  private readonly works = new Map<Node, Awaitable<readonly NDArray[]>>()
  private failure: { readonly error: unknown } | undefined

  /** Begins the work of a node. Its error, if it has one, is that of the node. */
  begin(node: Node, work: () => Awaitable<readonly NDArray[]>, pause: Pause | undefined): void {
    const result = work()
    if (!(result instanceof Promise)) {
      this.works.set(node, result)
      return
    }
    pause?.during(result)
    const told = result.catch((thrown: unknown) => {
      const error = speakingOf(node, thrown)
      this.failure ??= { error }
      throw error
    })
    // It may fail before anybody takes it up.
    told.catch(() => undefined)
    this.works.set(node, told)
  }

  /** What a node that has begun makes; undefined for others, and when it was taken up. */
  of(node: Node): Awaitable<readonly NDArray[]> | undefined {
    return this.works.get(node)
  }

  /** Calls `then` when the work of a node has ended, well or badly. */
  whenDone(node: Node, then: () => void): void {
    const work = this.works.get(node)
    if (work instanceof Promise) work.then(then, then)
    else then()
  }

  /** Takes up what a node has made. */
  take(node: Node): Awaitable<readonly NDArray[]> {
    const work = this.works.get(node)
    if (!work) throw new InternalError('was never begun', { node })
    if (!(work instanceof Promise)) {
      this.works.delete(node)
      return work
    }
    return work.then((made) => {
      this.works.delete(node)
      return made
    })
  }

  /** @throws what some work has failed with, though nobody has taken it up. */
  check(): void {
    if (this.failure) throw this.failure.error
  }

  /** Forgets everything; settles when nothing is under way any more. Undefined: nothing was. */
  end(): Promise<unknown> | undefined {
    const underWay = [...this.works.values()].filter((work) => work instanceof Promise)
    this.works.clear()
    if (underWay.length === 0) return undefined
    return Promise.allSettled(underWay).then(() => {
      this.failure = undefined
    })
  }
}
