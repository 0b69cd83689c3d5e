// The target of a session whose master is another process: graphs go there once, a step is one message there and back.
import type {
  BoundGraph,
  CompileOptions,
  Executable,
  NDArray,
  RunState,
  SessionTarget,
  VariableResource,
} from '@shoal/core'
import { unavailable } from '../errors.ts'
import type { ClientOptions } from '../master/masterService.ts'
import { quickMs } from '../master/workerClient.ts'
import { relative } from '../protocol/events.ts'
import { graphToBytes } from '../protocol/graphBytes.ts'
import { callMethod, type Method, type Said } from '../protocol/method.ts'
import * as protocol from '../protocol/session.ts'
import type { CallOptions, Connection } from '../transport/contract.ts'

/** Milliseconds beyond a step's own deadline until the client gives up on the master. */
const graceMs = 5000
const compileMs = 300_000

/** Graphs of one session, at a master. */
export class RemoteTarget implements SessionTarget {
  readonly devices = []
  private readonly connection: Connection
  private readonly session: string
  private readonly stepDeadlineMs: number
  private graphs = 0
  private steps = 0

  private constructor(connection: Connection, session: string, stepDeadlineMs: number) {
    this.connection = connection
    this.session = session
    this.stepDeadlineMs = stepDeadlineMs
  }

  /**
   * Opens a session at the master that is at the other end of a connection, which the session closes in the end.
   * @throws UnavailableError naming the tasks that are missing.
   */
  static async open(connection: Connection, options: ClientOptions = {}): Promise<RemoteTarget> {
    const { startDeadlineMs = 30_000, stepDeadlineMs = 600_000, deviceFilters, ...rest } = options
    const says = {
      ...rest,
      startDeadlineMs,
      stepDeadlineMs,
      ...(deviceFilters && { deviceFilters: [...deviceFilters] }),
    }
    const deadlineMs = startDeadlineMs + graceMs
    const answer = await callMethod(connection, protocol.createSession, says, { deadlineMs })
    return new RemoteTarget(connection, answer.says.session, stepDeadlineMs)
  }

  async compile(bound: BoundGraph, { passes, log, ...options }: CompileOptions): Promise<Executable> {
    const { session } = this
    const graph = this.graphs++
    const { fusion, softPlacement, maxActivationBytes } = options
    const says = {
      session,
      graph,
      feedCount: bound.feeds.length,
      fusion,
      softPlacement,
      ...(maxActivationBytes !== undefined && { maxActivationBytes }),
    }
    const def = graphToBytes({ graph: passes.run(bound.graph), feeds: bound.feeds })
    const answer = await this.call(protocol.extend, says, { deadlineMs: compileMs, tensors: [def] })
    answer.says.log.forEach(log)
    return {
      programs: [],
      check: () => undefined,
      run: (state, feeds) => this.run(graph, state, feeds),
      free: () => {
        const said = this.call(protocol.release, { session, graph }, { deadlineMs: quickMs })
        said.catch(() => undefined)
      },
    }
  }

  async initialized(variables: readonly VariableResource[]): Promise<readonly boolean[]> {
    const says = { session: this.session, variables: variables.map(defOf) }
    const answer = await this.call(protocol.areInitialized, says, { deadlineMs: quickMs })
    return answer.says.answers
  }

  async write(variable: VariableResource, value: NDArray, { softPlacement }: CompileOptions): Promise<void> {
    const says = { session: this.session, variable: defOf(variable), softPlacement }
    await this.call(protocol.write, says, { deadlineMs: compileMs, tensors: [value] })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const end = this.call(protocol.endSession, { session: this.session }, { deadlineMs: quickMs })
    await end.catch(() => undefined)
    await this.connection.close()
  }

  private async run(
    graph: number,
    { context, trace }: RunState,
    feeds: readonly NDArray[],
  ): Promise<NDArray[]> {
    const says = {
      session: this.session,
      graph,
      step: this.steps++,
      seed: context.seed,
      trace: trace !== undefined,
    }
    const deadlineMs = this.stepDeadlineMs + graceMs
    const answer = await this.call(protocol.runStep, says, {
      deadlineMs,
      signal: context.signal,
      tensors: feeds,
    })
    for (const event of relative(answer.says.events)) trace?.add(event)
    return [...answer.tensors]
  }

  private async call<Q, A>(
    method: Method<Q, A>,
    request: Q,
    options: CallOptions & { readonly tensors?: readonly NDArray[] },
  ): Promise<Said<A>> {
    try {
      return await callMethod(this.connection, method, request, options)
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason
      throw unavailable(error, 'the master')
    }
  }
}

const defOf = ({ name, type: { dtype, shape }, initial }: VariableResource): protocol.VariableDef => ({
  name,
  type: { dtype, shape },
  device: initial?.node.device ?? '',
})
