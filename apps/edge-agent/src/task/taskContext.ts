// What the runtime of a task hands to whatever its program runs: the port, and what was made of it once for all.
import { type Clock, systemClock } from '@shoal/distributed/peers'
import { Documents } from './documents.ts'
import type { TaskPort } from './taskPort.ts'

/** Time and chance, which a test or a simulation may hold in its own hands. */
export interface TaskMeans {
  /** Milliseconds since 1970, as far as this machine knew it when the process began; never goes back. */
  readonly clock: Clock
  /** Numbers from 0 to 1, for the lengths of pauses. */
  readonly random: () => number
}

/** The machine's own. The clock follows no correction: one that comes with the network would end what is under way. */
export const systemMeans: TaskMeans = {
  clock: { now: () => performance.timeOrigin + systemClock.now(), after: systemClock.after },
  random: Math.random,
}

/** A task from the inside, before it is dressed up for its user. */
export interface TaskContext {
  readonly port: TaskPort
  readonly documents: Documents
  readonly means: TaskMeans
  /** What is to be closed when the program has ended, the last first. */
  readonly closing: AsyncDisposableStack
}

/** Milliseconds in which a task that was asked to stop may still say what becomes of its work. */
const farewellMs = 2000

/** Makes the context of a port. */
export function contextOf(port: TaskPort, means: TaskMeans): TaskContext {
  const { stopped, services } = port
  const farewell = new AbortController()
  let disarm = (): void => {}
  const stop = (): void => {
    disarm = means.clock.after(farewellMs, () => farewell.abort(stopped.reason))
  }
  stopped.addEventListener('abort', stop, { once: true })
  if (stopped.aborted) stop()
  const closing = new AsyncDisposableStack()
  closing.defer(() => {
    stopped.removeEventListener('abort', stop)
    disarm()
  })
  const documents = new Documents({ services, signal: farewell.signal, ...means })
  return { port, means, documents, closing }
}

/** `worker:2`: how a task is called in events, streams and addresses. */
export const taskName = ({ job, index }: { readonly job: string; readonly index: number }): string =>
  `${job}:${index}`

/** The name of this process among all that ever write documents of its job. */
export function writerOf({ port }: Pick<TaskContext, 'port'>): string {
  const { task, attempt, node } = port.assignment
  return `${taskName(task)} ${attempt} ${node}`
}
