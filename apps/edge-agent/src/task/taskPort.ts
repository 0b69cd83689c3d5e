// The one opening of a task's process: what it was told that it is, what its agent does for it, and what its agent tells it meanwhile.
import type { Socket } from 'node:net'
import type { Assignment, TaskEnd, TaskServices } from './services.ts'

/** What a task has of the world. Tasks are named as in events: `worker:2`. */
export interface TaskPort {
  readonly assignment: Assignment
  readonly services: TaskServices
  /** Streams that other tasks of the attempt open to this one. Those that came before there was a listener are given to the first. */
  onIncoming(listener: (fromTask: string, socket: Socket) => void): void
  /** Which tasks of the attempt are alive: at once what is known by now, if anything is, and whenever it changes. */
  onLiving(listener: (tasks: readonly string[]) => void): void
  /** Aborted when the task is asked to stop, or its agent is gone. */
  readonly stopped: AbortSignal
  /** Tells how the program ended, after all that was told before. Settles when the agent has it; nothing is told after it. */
  ended(end: TaskEnd): Promise<void>
}
