// The tasks that run on this node: begun when a leader says so, served with what the job has, and ended with their job.
import { asError, type Clock, type PeerIdentity, SecurityError } from '@shoal/distributed/peers'
import type { Socket } from 'node:net'
import type { JobEvent } from '../history/event.ts'
import type { RunningTask, TaskServices } from '../task/services.ts'
import { JobLine } from './jobLine.ts'
import { taskEnded } from './methods.ts'
import { NoRoomError } from './noRoom.ts'
import type { Blobs, Launch, Nodes } from './ports.ts'
import { taskOf } from './record.ts'
import type { Need } from './spec.ts'

/** What a leader asks for. */
export interface StartRequest {
  readonly job: string
  readonly attempt: number
  readonly task: string
  readonly kind: 'train' | 'search' | 'ensemble'
  readonly program: string
  readonly need: Need
  readonly timeLimitMs: number
  readonly cluster: Readonly<Record<string, number>>
  readonly where: Readonly<Record<string, string>>
  readonly settings: RunningTask['assignment']['settings']
  readonly datasets: RunningTask['assignment']['datasets']
  readonly reads: readonly string[]
}

/** What hosting tasks needs. */
export interface HostMeans {
  readonly nodes: Nodes
  readonly blobs: Blobs
  readonly launch: Launch
  /** Streams to tasks on other nodes, and between two of this one. */
  readonly connect: (
    header: { readonly jobId: string; readonly attempt: number; readonly from: string; readonly to: string },
    node: string,
    signal: AbortSignal,
  ) => Promise<Socket>
  /** Who leads a job, as far as this node knows. */
  readonly leaderOf: (jobId: string) => string | undefined
  /** The nodes that keep copies of a job and are there, its leader first. */
  readonly keepersOf: (jobId: string) => readonly string[]
  readonly clock: Clock
  readonly today: () => number
  readonly log: (line: string) => void
}

interface Hosted {
  readonly request: StartRequest
  readonly line: JobLine
  readonly over: AbortController
  running: RunningTask | undefined
  /** Its process is gone; the leader may not have been told. */
  hasEnded: boolean
}

/** How long the others of a gang may be away before they count as dead. */
const deadAfterMs = 3000
/** How long tasks may take to end when their node does, and their last words after that. */
const closingGraceMs = 1000
const lastWordsMs = 500

/** All tasks of this node. */
export class TaskHost implements AsyncDisposable {
  readonly #means: HostMeans
  readonly #hosted = new Map<string, Hosted>()
  #isClosing = false
  readonly #ends = new Set<Promise<void>>()

  constructor(means: HostMeans) {
    this.#means = means
  }

  /** What the tasks need that run here. */
  get taken(): readonly (Need & { readonly job: string; readonly task: string })[] {
    return [...this.#hosted.values()].flatMap(({ hasEnded, request: { need, job, task } }) =>
      hasEnded ? [] : [{ ...need, job, task }],
    )
  }

  /** The tasks of a job that run here, or whose end its leader does not know yet. */
  tasksOf(job: string): readonly { readonly task: string; readonly attempt: number }[] {
    return [...this.#hosted.values()].flatMap(({ request }) =>
      request.job === job ? [{ task: request.task, attempt: request.attempt }] : [],
    )
  }

  /** Is this task to be spoken to by that node? For streams that come from elsewhere. */
  mayConnect(
    {
      jobId,
      attempt,
      from,
      to,
    }: { readonly jobId: string; readonly attempt: number; readonly from: string; readonly to: string },
    peer: PeerIdentity,
  ): boolean {
    const hosted = this.#hosted.get(keyOf(jobId, to, attempt))
    return hosted?.request.where[from] === peer.node
  }

  /** A task that runs here now. */
  running(jobId: string, attempt: number, task: string): RunningTask | undefined {
    return this.#hosted.get(keyOf(jobId, task, attempt))?.running
  }

  /** Begins a task. @throws NoRoomError; what fetching its program or beginning its process throws. */
  async start(request: StartRequest): Promise<void> {
    const { blobs, launch, nodes, log } = this.#means
    const { job, task, attempt, program, need } = request
    const key = keyOf(job, task, attempt)
    if (this.#hosted.has(key)) return
    this.#demandRoom(need)
    const line = new JobLine({ ...this.#means, jobId: job })
    const hosted: Hosted = { request, line, over: new AbortController(), running: undefined, hasEnded: false }
    // From here on its room is taken.
    this.#hosted.set(key, hosted)
    nodes.changed()
    try {
      const bytes = await blobs.get(program, { keepFor: hostedAs(job), signal: hosted.over.signal })
      hosted.over.signal.throwIfAborted()
      const running = await launch(
        {
          jobId: job,
          kind: request.kind,
          attempt,
          task: taskOf(task),
          cluster: request.cluster,
          settings: request.settings,
          datasets: request.datasets,
          reads: request.reads,
          devices: need.devices,
          node: nodes.self.nodeId,
        },
        {
          program: bytes,
          services: this.#services(hosted),
          memoryBytes: need.memoryBytes,
          timeMs: request.timeLimitMs,
        },
      )
      hosted.running = running
      if (hosted.over.signal.aborted) running.stop('it was stopped while it began', 0)
      this.#living(hosted)
      const end = this.#attend(key, hosted, running)
      this.#ends.add(end)
      void end.finally(() => this.#ends.delete(end))
    } catch (error) {
      this.#hosted.delete(key)
      line.close()
      nodes.changed()
      log(`${task} of job ${job} could not be begun: ${asError(error).message}`)
      await this.#release(job).catch(() => undefined)
      throw error
    }
  }

  /** Ends a task; its leader is told when it is over. One that is not here is over. */
  stop(job: string, task: string, attempt: number, reason: string, graceMs: number): void {
    const hosted = this.#hosted.get(keyOf(job, task, attempt))
    if (!hosted || hosted.hasEnded) return
    if (hosted.running) hosted.running.stop(reason, graceMs)
    else hosted.over.abort(new Error(reason))
  }

  /** Other nodes have come or gone. */
  nodesChanged(): void {
    for (const hosted of this.#hosted.values()) this.#living(hosted)
  }

  /** Ends all tasks, and tells their leaders where they can be told soon. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    for (const { running, over } of this.#hosted.values()) {
      over.abort(new Error('the node is closing'))
      running?.stop('the node is closing', closingGraceMs)
    }
    const running = [...this.#hosted.values()].flatMap((hosted) => hosted.running ?? [])
    await Promise.all(running.map(({ ended }) => ended))
    const disarm = this.#means.clock.after(lastWordsMs, () => {
      for (const { line } of this.#hosted.values()) line.close()
    })
    await Promise.all(this.#ends)
    disarm()
  }

  #demandRoom({ cores, memoryBytes, devices }: Need): void {
    const { nodes } = this.#means
    const [own] = nodes.present()
    // The leader of a gang that has lost the task of this node may not know yet that the node goes too.
    if (!own || this.#isClosing) throw new NoRoomError('this node is closing')
    if (nodes.self.role === 'client')
      throw new SecurityError(`'${nodes.self.nodeId}' is a client: it computes nothing`)
    const used = this.taken.reduce((sum, need) => sum + need.cores, 0)
    if (used + cores > own.inventory.cores)
      throw new NoRoomError(
        `'${nodes.self.nodeId}' has ${own.inventory.cores} cores, ${used} are taken, and ${cores} more are asked for`,
      )
    const memory = this.taken.reduce((sum, need) => sum + need.memoryBytes, 0)
    if (memory + memoryBytes > own.inventory.memoryBytes)
      throw new NoRoomError(
        `'${nodes.self.nodeId}' has ${own.inventory.memoryBytes} bytes of memory, ${memory} are promised, and ${memoryBytes} more are asked for`,
      )
    const gpus = own.inventory.devices.filter(({ type }) => type === 'webgpu').length
    const busy = this.taken.filter((need) => need.devices.includes('webgpu')).length
    if (devices.includes('webgpu') && busy >= gpus)
      throw new NoRoomError(
        `'${nodes.self.nodeId}' has ${gpus} GPUs, ${busy} are taken, and one more is asked for`,
      )
  }

  async #attend(key: string, hosted: Hosted, running: RunningTask): Promise<void> {
    const { nodes } = this.#means
    const { job, task, attempt } = hosted.request
    const end = await running.ended
    const { sent, received } = running.traffic()
    hosted.hasEnded = true
    hosted.over.abort(new Error('the task is over'))
    nodes.changed()
    const said = end.kind === 'failed' ? { ...end, message: end.message.slice(0, 4000) } : end
    await hosted.line.finish(taskEnded, {
      job,
      task,
      attempt,
      node: nodes.self.nodeId,
      end: said,
      sent,
      received,
    })
    this.#hosted.delete(key)
    try {
      await running[Symbol.asyncDispose]()
      await this.#release(job)
    } catch (error) {
      // Nobody waits for it: it must not end the agent.
      this.#means.log(`${task} of job ${job} was not cleared away: ${asError(error).message}`)
    }
  }

  /** Where no task of the job is here any more, nothing is kept for them. */
  async #release(job: string): Promise<void> {
    if (this.tasksOf(job).length === 0) await this.#means.blobs.release(hostedAs(job))
  }

  /** Tells a task who of its gang is there; who has only just gone may come back. */
  #living({ request: { where }, running, over }: Hosted): void {
    const present = new Set(this.#means.nodes.present().map(({ nodeId }) => nodeId))
    const living = (nodes: ReadonlySet<string>): string[] =>
      Object.keys(where).filter((task) => nodes.has(where[task]!))
    if (living(present).length === Object.keys(where).length) return running?.living(Object.keys(where))
    this.#means.clock.after(deadAfterMs, () => {
      if (over.signal.aborted) return
      running?.living(living(new Set(this.#means.nodes.present().map(({ nodeId }) => nodeId))))
    })
  }

  /** Has a blob kept by two nodes that keep copies of the job, where there are two. Here it is kept while tasks of the job run. */
  async #keepBlob(job: string, bytes: Uint8Array, signal: AbortSignal): Promise<string> {
    const { blobs, nodes, keepersOf, log } = this.#means
    const hash = await blobs.put(bytes, hostedAs(job))
    let copies = 0
    for (const keeper of keepersOf(job)) {
      if (copies === 2) break
      try {
        if (keeper === nodes.self.nodeId) await blobs.put(bytes, job)
        else await blobs.push(hash, keeper, { keepFor: job, signal })
        copies++
      } catch (error) {
        signal.throwIfAborted()
        log(`a blob of job ${job} could not be copied to '${keeper}': ${asError(error).message}`)
      }
    }
    return hash
  }

  #services(hosted: Hosted): TaskServices {
    const { blobs, nodes, connect, today } = this.#means
    const { line, request, over } = hosted
    const { job, task, attempt } = request
    const said = { v: 1 as const, job, task, attempt, node: nodes.self.nodeId }
    const tell = (event: JobEvent): void => line.tell(event)
    return {
      readDocument(key, { jobId = job, signal }) {
        if (jobId !== job && !request.reads.includes(jobId))
          throw new SecurityError(
            `${task} of job ${job} may not read job ${jobId}: it is not among those that it reads`,
          )
        return line.read(jobId, key, signal)
      },
      writeDocument: (write, { signal }) => line.write(write, signal),
      putBlob: (bytes, { signal }) => this.#keepBlob(job, bytes, signal),
      getBlob: (hash, { signal }) => blobs.get(hash, { signal }),
      report: ({ step, trial, values }) =>
        tell({
          ...said,
          at: today(),
          kind: 'metrics',
          step,
          values: finite(values),
          ...(trial !== undefined && { trial }),
        }),
      trialEnded: ({ trial, state, params, value }) =>
        tell({
          v: 1,
          job,
          at: today(),
          node: nodes.self.nodeId,
          kind: 'trialEnded',
          trial,
          state,
          params: { ...params } as Record<string, never>,
          ...(value !== undefined && Number.isFinite(value) && { value }),
        }),
      log: (stream, text) => tell({ ...said, at: today(), kind: 'log', stream, line: text }),
      connect: (to, { signal }) => {
        const node = request.where[to]
        if (node === undefined) throw new SecurityError(`${task} of job ${job} has no task '${to}' beside it`)
        return connect({ jobId: job, attempt, from: task, to }, node, AbortSignal.any([signal, over.signal]))
      },
    }
  }
}

/** What can be said in JSON: a loss that has gone to infinity is left out. */
const finite = (values: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)))

/** For whom blobs are kept while tasks of a job run here. */
const hostedAs = (job: string): string => `tasks of ${job}`

const keyOf = (job: string, task: string, attempt: number): string => `${job}/${task}/${attempt}`
