// Tasks in real processes, for tests: what they ask for is done in memory, and what they tell is written down.
import { NotFoundError } from '@shoal/core'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashOf } from '../../blobs/hash.ts'
import { type LaunchOptions, launchTask } from '../launch.ts'
import type { Assignment, RunningTask, TaskServices, Versioned } from '../services.ts'

/** What a task asks for and tells. */
export class RecordedServices implements TaskServices {
  readonly documents = new Map<string, Versioned>()
  readonly blobs = new Map<string, Uint8Array>()
  readonly told: unknown[] = []
  readonly lines: string[] = []
  /** Called when a document is written. */
  onWrite: () => void = () => undefined
  /** The first line of stdout, for those who wait until the program runs. */
  readonly firstLine = Promise.withResolvers<string>()
  connect: TaskServices['connect'] = async (task) => {
    throw new NotFoundError(`there is no task ${task}`)
  }

  async readDocument(key: string, { jobId = '' }: { readonly jobId?: string }): Promise<Versioned> {
    return this.documents.get(jobId + key) ?? { version: 0, value: null }
  }

  async writeDocument({
    key,
    ifVersion,
    value,
  }: Parameters<TaskServices['writeDocument']>[0]): Promise<number | undefined> {
    const version = this.documents.get(key)?.version ?? 0
    if (version !== ifVersion) return undefined
    this.documents.set(key, { version: version + 1, value })
    this.onWrite()
    return version + 1
  }

  async putBlob(bytes: Uint8Array): Promise<string> {
    this.blobs.set(hashOf(bytes), bytes)
    return hashOf(bytes)
  }

  async getBlob(hash: string): Promise<Uint8Array> {
    const bytes = this.blobs.get(hash)
    if (!bytes) throw new NotFoundError(`there is no blob ${hash}`)
    return bytes
  }

  report(metrics: unknown): void {
    this.told.push(metrics)
  }

  trialEnded(ended: unknown): void {
    this.told.push(ended)
  }

  log(stream: 'stdout' | 'stderr', line: string): void {
    this.lines.push(`${stream}: ${line}`)
    if (stream === 'stdout') this.firstLine.resolve(line)
  }
}

/** What is not said of a task. */
export const someAssignment: Assignment = {
  jobId: 'j-000000000000',
  kind: 'train',
  attempt: 0,
  task: { job: 'worker', index: 0 },
  cluster: { worker: 2 },
  settings: {},
  datasets: {},
  reads: [],
  devices: [],
  node: 'pi-1',
}

/** What may be said of one. */
export interface Launching extends Partial<Omit<LaunchOptions, 'assignment' | 'program' | 'services'>> {
  readonly assignment?: Partial<Assignment>
  readonly services?: RecordedServices
}

/** A place where tasks are launched. */
export class LaunchPad implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'shoal-tasks-'))
  readonly #tasks: RunningTask[] = []
  #launched = 0

  /** Starts a task. A program that is text is JavaScript, and knows nothing of its agent. */
  async launch(
    program: Uint8Array | string,
    { assignment, services = new RecordedServices(), limits, ...rest }: Launching = {},
  ): Promise<RunningTask & { readonly services: RecordedServices; readonly folder: string }> {
    const folder = join(this.folder, `task-${this.#launched++}`)
    const task = await launchTask({
      assignment: { ...someAssignment, ...assignment },
      program: typeof program === 'string' ? new TextEncoder().encode(program) : program,
      folder,
      services,
      limits: limits ?? { memoryBytes: 2 ** 29, timeMs: 60_000 },
      ...rest,
    })
    this.#tasks.push(task)
    return Object.assign(task, { services, folder })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const task of this.#tasks) await task[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** All that comes from a socket until it ends. */
export async function allOf(socket: Socket): Promise<string> {
  let text = ''
  for await (const bytes of socket.setEncoding('utf8')) text += bytes
  return text
}
