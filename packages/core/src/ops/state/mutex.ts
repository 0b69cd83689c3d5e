// Mutual exclusion between the runs of a session: a part of a graph that only one of them is in at a time.
import type { Node, Tensor } from '../../graph/graph.ts'
import { controlDependencies, named, surroundings } from '../../graph/scope.ts'
import type { AnyOp } from '../../op.ts'
import { attr, defineOp, makeNode } from '../../op.ts'
import type { AnyResource, MutexResource } from '../../resource.ts'
import type { RunContext } from '../../run/context.ts'
import { MutexState } from '../../run/mutexState.ts'
import { identity } from '../graph/identity.ts'

const resourceAttr = { resource: attr.resource('the mutex') }

/** What a session keeps for a mutex: the lock, and a holder for each run that has to do with it. */
class SharedMutex {
  readonly lock: MutexState
  private readonly holders = new Map<number, object>()
  constructor(name: string) {
    this.lock = new MutexState(name)
  }
  /** Who stands for this run; when the run ends, however it ends, the lock is released. */
  holderOf(context: RunContext): object {
    const known = this.holders.get(context.step)
    if (known) return known
    const holder = {}
    this.holders.set(context.step, holder)
    context.onEnd(() => {
      this.holders.delete(context.step)
      this.lock.release(holder)
    })
    return holder
  }
}

const stateOf = (resource: AnyResource, context: RunContext): SharedMutex =>
  context.state(resource, () => new SharedMutex(resource.name))

const lockOp = defineOp({
  name: 'MutexLock',
  doc: 'Waits for a mutex and holds it until MutexUnlock or the end of the run.',
  inputs: [],
  attrs: resourceAttr,
  outputs: 'list',
  traits: { effect: 'external' },
  infer: () => [],
  body: {
    kind: 'runtime',
    role: 'host',
    async run(_, { resource }, context) {
      const mutex = stateOf(resource, context)
      await mutex.lock.lock(mutex.holderOf(context), context.signal)
      return []
    },
  },
})

const unlockOp = defineOp({
  name: 'MutexUnlock',
  doc: 'Gives back a mutex that this run holds.',
  inputs: [],
  attrs: resourceAttr,
  outputs: 'list',
  traits: { effect: 'external' },
  infer: () => [],
  body: {
    kind: 'runtime',
    role: 'host',
    run(_, { resource }, context) {
      const mutex = stateOf(resource, context)
      mutex.lock.unlock(mutex.holderOf(context))
      return []
    },
  },
})

/** The definitions behind mutexes, for lists of ops. */
export const mutexOps: readonly AnyOp[] = [lockOp, unlockOp]

/** A lock that each session keeps. A run that fails or is aborted gives it back. */
export class Mutex {
  readonly resource: MutexResource
  constructor(resource: MutexResource) {
    this.resource = resource
  }
  /** Unique among the resources of a graph. */
  get name(): string {
    return this.resource.name
  }
  /** Waits until no one else holds it; what must happen under the lock waits for this node. */
  lock(): Node {
    return named(`${this.name}/`, () => makeNode(lockOp.def, [], { resource: this.resource }, 'lock'))
  }
  /** Gives it back; build it with `controlDependencies` on what happens under the lock. A run of it throws RunError when the run does not hold it. */
  unlock(): Node {
    return named(`${this.name}/`, () => makeNode(unlockOp.def, [], { resource: this.resource }, 'unlock'))
  }
}

let unnamed = 0

/** A mutual exclusion lock between runs. @param options.name scoped; numbered when left out. */
export const mutex = (options: { readonly name?: string } = {}): Mutex =>
  new Mutex({ kind: 'mutex', name: surroundings().prefix + (options.name ?? `mutex_${unnamed++}`) })

/**
 * The tensors that `build` answers, computed while the mutex is held: all nodes that `build` makes run after it was taken,
 * and it is given back when they have run. Nodes made before are not under the lock.
 */
export function critical(lock: Mutex, build: () => Tensor): Tensor
export function critical(lock: Mutex, build: () => readonly Tensor[]): readonly Tensor[]
export function critical(lock: Mutex, build: () => Tensor | readonly Tensor[]): Tensor | readonly Tensor[] {
  const results = controlDependencies([lock.lock()], build)
  const tensors = 'node' in results ? [results] : results
  const released = controlDependencies(tensors, () => lock.unlock())
  const values = controlDependencies([released], () => tensors.map((t) => identity(t)))
  return 'node' in results ? values[0]! : values
}
