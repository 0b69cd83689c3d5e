// A worker as its master sees it: one session of it, over one connection.
import type { NDArray, NamedDevice, TraceEvent, VariableResource } from '@shoal/core'
import { formatDeviceName, parseDeviceName } from '@shoal/core'
import type { TaskName } from '../cluster/deviceFilters.ts'
import { unavailable } from '../errors.ts'
import type { Said } from '../protocol/method.ts'
import { callMethod, type Method } from '../protocol/method.ts'
import * as protocol from '../protocol/worker.ts'
import type { CallOptions, Connection } from '../transport/contract.ts'
import { RemoteDevice } from './remoteDevice.ts'

/** One part of a step. */
export interface StepPart {
  readonly graph: number
  readonly step: number
  readonly seed: number
  readonly trace: boolean
  readonly feeds: readonly NDArray[]
}

/** A graph to register. */
export interface GraphParts {
  readonly graph: number
  readonly parts: readonly {
    readonly device: number
    readonly feeds: number[]
    readonly fetches: number[]
    readonly def: NDArray
  }[]
  readonly fetchCount: number
  readonly fusion: boolean
  readonly maxActivationBytes: number | undefined
}

/** Milliseconds for what needs no computing. */
export const quickMs = 10_000
/** Milliseconds for compiling a graph. */
const compileMs = 300_000

/** A session of one worker. */
export class WorkerClient {
  readonly task: TaskName
  readonly name: string
  readonly devices: readonly NamedDevice<RemoteDevice>[]
  private readonly connection: Connection
  private readonly session: string

  private constructor(
    task: TaskName,
    connection: Connection,
    session: string,
    status: protocol.WorkerStatus,
  ) {
    this.task = task
    this.name = formatDeviceName(task)
    this.connection = connection
    this.session = session
    this.devices = status.devices.map((device) => ({
      device: new RemoteDevice(device),
      name: parseDeviceName(device.name),
    }))
  }

  /** Asks a worker who it is, and opens a session there. */
  static async open(
    task: TaskName,
    connection: Connection,
    session: protocol.NewSession,
    signal?: AbortSignal,
  ): Promise<WorkerClient> {
    const options = { deadlineMs: quickMs, signal }
    const { says: status } = await callMethod(connection, protocol.getStatus, {}, options)
    const client = new WorkerClient(task, connection, session.session, status)
    try {
      await callMethod(connection, protocol.openSession, session, options)
    } catch (error) {
      // It may be open nevertheless, and the connection is there for other sessions as well.
      void client.close()
      throw error
    }
    return client
  }

  /** Asks the worker what its devices are not known to support. Were there questions? */
  async learn(): Promise<boolean> {
    const asked = await Promise.all(
      this.devices.map(async ({ device }, i) => {
        const queries = [...device.questions]
        if (queries.length === 0) return false
        const { says } = await this.call(protocol.canRun, { device: i, queries }, { deadlineMs: quickMs })
        device.learn(queries, says.answers)
        return true
      }),
    )
    return asked.includes(true)
  }

  async register({ parts, ...graph }: GraphParts): Promise<void> {
    const { maxActivationBytes, ...rest } = graph
    const says = {
      ...rest,
      session: this.session,
      parts: parts.map(({ def: _def, ...part }) => part),
      ...(maxActivationBytes !== undefined && { maxActivationBytes }),
    }
    const tensors = parts.map(({ def }) => def)
    await this.call(protocol.registerGraph, says, { deadlineMs: compileMs, tensors })
  }

  /** Forgets a graph; whether the worker is still there does not matter. */
  deregister(graph: number): void {
    const said = this.call(
      protocol.deregisterGraph,
      { session: this.session, graph },
      { deadlineMs: quickMs },
    )
    said.catch(() => undefined)
  }

  async run(
    { feeds, ...part }: StepPart,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<{ readonly fetches: readonly NDArray[]; readonly events: readonly TraceEvent[] }> {
    const says = { ...part, session: this.session }
    const answer = await this.call(protocol.runGraph, says, { ...options, tensors: feeds })
    return { fetches: answer.tensors, events: answer.says.events }
  }

  /** Ends what is left of a step; whether the worker is still there does not matter. */
  cleanup(step: number, reason: string): void {
    const says = { session: this.session, step, reason }
    this.call(protocol.cleanupStep, says, { deadlineMs: quickMs, urgent: true }).catch(() => undefined)
  }

  async initialized(variables: readonly VariableResource[]): Promise<readonly boolean[]> {
    const says = {
      session: this.session,
      variables: variables.map(({ name, type: { dtype, shape } }) => ({ name, type: { dtype, shape } })),
    }
    const answer = await this.call(protocol.initialized, says, { deadlineMs: quickMs })
    return answer.says.answers
  }

  async write({ name, type }: VariableResource, value: NDArray, device: string): Promise<void> {
    const variable = { name, type: { dtype: type.dtype, shape: type.shape } }
    const says = { session: this.session, variable, device }
    await this.call(protocol.writeVariable, says, { deadlineMs: compileMs, tensors: [value] })
  }

  async close(): Promise<void> {
    const options = { deadlineMs: quickMs }
    await this.call(protocol.closeSession, { session: this.session }, options).catch(() => undefined)
  }

  private async call<Q, A>(
    method: Method<Q, A>,
    request: Q,
    options: CallOptions & { readonly tensors?: readonly NDArray[] },
  ): Promise<Said<A>> {
    try {
      return await callMethod(this.connection, method, request, options)
    } catch (error) {
      throw unavailable(error, this.name)
    }
  }
}
