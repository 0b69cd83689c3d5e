// What a task and its agent are to each other: the agent hands over an assignment and serves the task, which has nothing else in the world.
import type { Socket } from 'node:net'
import type { Json } from '../jobs/json.ts'
import type { DatasetManifest, JobSpec, Need } from '../jobs/spec.ts'

/** What a process is told that it is. */
export interface Assignment {
  readonly jobId: string
  readonly kind: JobSpec['kind']
  /** Counts how often the gang, or this task, was begun: from 0. */
  readonly attempt: number
  /** Its place in the ClusterSpec. */
  readonly task: { readonly job: string; readonly index: number }
  /** How many tasks there are of each job. In an elastic job, those that there may be. */
  readonly cluster: Readonly<Record<string, number>>
  readonly settings: Readonly<Record<string, Json>>
  readonly datasets: Readonly<Record<string, DatasetManifest>>
  /** Jobs whose documents it may read. */
  readonly reads: readonly string[]
  /** Kinds of devices that it asked for; a cpu it has in any case. */
  readonly devices: Need['devices']
  /** The node that it runs on, for people. */
  readonly node: string
}

/** A document of a job: JSON under a key, with a version that rises by each write. Version 0 is that of a document that is not there. */
export interface Versioned {
  readonly version: number
  readonly value: Json
}

/** A document as it is to be written. */
export interface DocumentWrite {
  readonly key: string
  /** The version that the writer has read: if there is another by now, nothing is written. */
  readonly ifVersion: number
  readonly value: Json
}

/** What the agent does for a task. All of it may take as long as the job has no leader; the signal withdraws it. */
export interface TaskServices {
  /** Reads a document of this job, or of one that it may read. */
  readDocument(
    key: string,
    from: { readonly jobId?: string; readonly signal: AbortSignal },
  ): Promise<Versioned>
  /** Writes a document; answers its new version, or undefined where somebody else wrote meanwhile. What is answered is kept on two nodes, where there are two. */
  writeDocument(write: DocumentWrite, from: { readonly signal: AbortSignal }): Promise<number | undefined>
  /** Keeps bytes under their hash, on two nodes where there are two, for as long as the job is kept. */
  putBlob(bytes: Uint8Array, from: { readonly signal: AbortSignal }): Promise<string>
  /** The bytes of a hash: a shard, or what a task has put. Verified. */
  getBlob(hash: string, from: { readonly signal: AbortSignal }): Promise<Uint8Array>
  /** Tells of numbers. Never waits. */
  report(metrics: {
    readonly step: number
    readonly trial?: number
    readonly values: Readonly<Record<string, number>>
  }): void
  /** Tells of a trial that has ended; of each trial the first word counts. Never waits. */
  trialEnded(ended: {
    readonly trial: number
    readonly state: 'complete' | 'pruned' | 'failed'
    readonly params: Readonly<Record<string, Json>>
    readonly value?: number
  }): void
  /** A line of the task's output. Never waits. */
  log(stream: 'stdout' | 'stderr', line: string): void
  /** Opens a stream of bytes to another task of the same attempt; on the other side it comes out of that task's `incoming`. */
  connect(task: string, from: { readonly signal: AbortSignal }): Promise<Socket>
}

/** How a task ended. */
export type TaskEnd =
  /** Its program has returned. */
  | { readonly kind: 'done' }
  /** It was told to stop, and did. */
  | { readonly kind: 'stopped' }
  /** It threw, went beyond a limit, or its process died; `message` says which, for people. */
  | { readonly kind: 'failed'; readonly message: string }

/** A task that runs in a process of its own. */
export interface RunningTask extends AsyncDisposable {
  readonly assignment: Assignment
  /** Settles when the process is gone; never rejects. */
  readonly ended: Promise<TaskEnd>
  /** Hands over a stream that another task of the attempt has opened. */
  incoming(fromTask: string, socket: Socket): void
  /** Tells who of the attempt is alive, so that nobody waits for the dead. */
  living(tasks: readonly string[]): void
  /** Asks it to stop, and ends it when it has not after so long. */
  stop(reason: string, graceMs: number): void
  /** Bytes of the streams so far. */
  traffic(): { readonly sent: number; readonly received: number }
}
