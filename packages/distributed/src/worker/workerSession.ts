// What a worker keeps for one session of a master: its graphs, and the steps that are under way.
import type { NDArray, TraceEvent } from '@shoal/core'
import { ClosedError, NotFoundError, RunScope, takingTurns, Trace, ValueError } from '@shoal/core'
import type { Clock } from '../clock.ts'
import type { ClusterSpec } from '../cluster/clusterSpec.ts'
import type { TaskName } from '../cluster/deviceFilters.ts'
import { asError, ProtocolError } from '../errors.ts'
import type { Container } from './container.ts'
import type { GraphOptions, PartitionDef } from './registeredGraph.ts'
import { RegisteredGraph } from './registeredGraph.ts'
import type { Receive } from './step.ts'
import { Step } from './step.ts'

/** Steps that are remembered after they have ended, so that a late or repeated request is refused. */
const rememberedSteps = 1024

/** A step of a registered graph. */
export interface StepRequest {
  readonly graph: number
  readonly step: number
  readonly seed: number
  readonly trace: boolean
  readonly feeds: readonly NDArray[]
}

/** One session on one worker. */
export class WorkerSession {
  readonly container: Container
  /** Who takes part, as its master knows. */
  readonly cluster: ClusterSpec
  private readonly own: TaskName
  private readonly log: (line: string) => void
  private readonly clock: Clock | undefined
  private readonly graphs = new Map<number, RegisteredGraph>()
  private readonly steps = new Map<number, Step>()
  /** Steps that this worker was asked to run, in order. */
  private readonly begun = new Set<number>()
  private readonly closing = new AbortController()
  /** Steps that run. */
  private readonly running = new Map<number, Promise<unknown>>()

  constructor(
    container: Container,
    cluster: ClusterSpec,
    {
      own,
      log,
      clock,
    }: { readonly own: TaskName; readonly log: (line: string) => void; readonly clock: Clock | undefined },
  ) {
    this.container = container
    this.cluster = cluster
    this.own = own
    this.log = log
    this.clock = clock
  }

  /** Compiles a graph. */
  async register(
    id: number,
    defs: readonly PartitionDef[],
    fetchCount: number,
    options: Omit<GraphOptions, 'log'>,
  ): Promise<void> {
    this.demandOpen()
    if (this.graphs.has(id)) throw new ValueError(`graph ${id} is registered already`)
    const { container, own, log } = this
    const graph = await RegisteredGraph.compile(defs, fetchCount, container, own, { ...options, log })
    if (this.closing.signal.aborted) graph.executable.free()
    this.demandOpen()
    this.graphs.set(id, graph)
  }

  /** Forgets a graph and gives its memory back. */
  deregister(id: number): void {
    this.graphs.get(id)?.free()
    this.graphs.delete(id)
  }

  /** Runs a registered graph. @throws ValueError for a step that was begun before: a request that is repeated is never run twice. */
  async run(
    request: StepRequest,
    receive: (step: number) => Receive,
    signal: AbortSignal,
  ): Promise<{ readonly fetches: readonly NDArray[]; readonly events: readonly TraceEvent[] }> {
    this.demandOpen()
    const graph = this.graphs.get(request.graph)
    if (!graph) throw new NotFoundError(`graph ${request.graph} is not registered here`)
    if (request.feeds.length < graph.feedCount)
      throw new ProtocolError(
        `a step came with ${request.feeds.length} feeds, its graph takes ${graph.feedCount}`,
      )
    if (this.begun.has(request.step))
      throw new ValueError(`step ${request.step} was begun before: it is not run twice`)
    this.remember(request.step)
    const step = this.stepOf(request.step)
    const running = graph.inTurn(() => this.execute(graph, request, step, receive(request.step), signal))
    this.running.set(request.step, running)
    try {
      return await running
    } finally {
      this.running.delete(request.step)
    }
  }

  /** Takes a tensor of a step, before or after it is there. */
  async take(step: number, key: string, signal: AbortSignal): Promise<NDArray> {
    this.demandOpen()
    if (this.begun.has(step) && !this.steps.has(step))
      throw new ClosedError(`step ${step} has ended: nobody sends '${key}' any more`)
    return this.stepOf(step).recv(key, signal)
  }

  /** Ends what is left of a step. */
  cleanup(id: number, reason: string): void {
    this.remember(id)
    this.steps.get(id)?.abort(new ClosedError(reason))
    this.steps.delete(id)
  }

  /** Ends all steps, waits for them, and gives the memory of all graphs back. */
  async close(error: Error): Promise<void> {
    this.closing.abort(error)
    for (const step of this.steps.values()) step.abort(error)
    await Promise.allSettled(this.running.values())
    this.steps.clear()
    for (const graph of this.graphs.values()) graph.free()
    this.graphs.clear()
  }

  private async execute(
    { executable, remoteKeys }: RegisteredGraph,
    request: StepRequest,
    step: Step,
    receive: Receive,
    signal: AbortSignal,
  ) {
    const scope = new RunScope([this.closing.signal, signal])
    const trace = request.trace ? new Trace() : undefined
    const abort = (reason: unknown): void => {
      step.abort(asError(reason))
      scope.abort(reason)
    }
    const { container, log, clock } = this
    const state = {
      context: {
        get signal() {
          return scope.signal
        },
        step: container.nextRun(),
        seed: request.seed,
        state: container.state,
        onEnd: (release: () => void) => scope.onEnd(release),
        log,
      },
      abort,
      pause: takingTurns({ isBusy: () => step.isBusy, clock }),
      rendezvous: step,
      trace,
    }
    const withdrawn = (): void => abort(signal.reason)
    signal.addEventListener('abort', withdrawn, { once: true })
    try {
      signal.throwIfAborted()
      executable.check()
      step.begin(remoteKeys, receive)
      const fetches = await executable.run(state, request.feeds)
      step.whenDrained(() => this.steps.delete(request.step))
      return { fetches, events: trace?.events ?? [] }
    } catch (error) {
      abort(error)
      this.steps.delete(request.step)
      throw error
    } finally {
      signal.removeEventListener('abort', withdrawn)
      scope.end()
    }
  }

  private demandOpen(): void {
    if (this.closing.signal.aborted) throw this.closing.signal.reason
  }

  private stepOf(id: number): Step {
    let step = this.steps.get(id)
    if (!step) this.steps.set(id, (step = new Step()))
    return step
  }

  private remember(step: number): void {
    this.begun.add(step)
    if (this.begun.size - this.running.size <= rememberedSteps) return
    // One that waits for something, a queue say, may run for as long as thousands of others.
    const oldest = this.begun.values().find((other) => !this.running.has(other))!
    this.begun.delete(oldest)
    this.steps.delete(oldest)
  }
}
