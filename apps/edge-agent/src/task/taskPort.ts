// The one opening of a task's process: what it was told that it is, what its agent does for it, and what its agent tells it meanwhile.
import type { Socket } from 'node:net'
import type { Assignment, TaskServices } from './services.ts'

/** What a task has of the world. */
export interface TaskPort {
  readonly assignment: Assignment
  readonly services: TaskServices
  /** Streams that other tasks of the attempt open to this one. Those that came before there was a listener are given to the first. */
  onIncoming(listener: (fromTask: string, socket: Socket) => void): void
  /** Which tasks of the attempt are alive: at once what is known by now, and whenever it changes. */
  onLiving(listener: (tasks: readonly string[]) => void): void
  /** Aborted when the task is asked to stop, or its agent is gone. */
  readonly stopped: AbortSignal
}
