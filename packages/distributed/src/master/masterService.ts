// The master of clients that are elsewhere: each of their sessions is a session of this server on the cluster.
import type { VariableResource } from '@shoal/core'
import { device as onDevice, NotFoundError, placeholder, Trace } from '@shoal/core'
import { UnavailableError } from '../errors.ts'
import { graphFromBytes } from '../protocol/graphBytes.ts'
import { absolute } from '../protocol/events.ts'
import { serving } from '../protocol/method.ts'
import * as protocol from '../protocol/session.ts'
import type { Connection, Handler } from '../transport/contract.ts'
import type { ClusterExecutable } from './clusterExecutable.ts'
import type { ClusterTarget, ClusterTargetOptions } from './clusterTarget.ts'

/** How a client wants its session to be. */
export type ClientOptions = Pick<
  ClusterTargetOptions,
  'deviceFilters' | 'isolated' | 'startDeadlineMs' | 'stepDeadlineMs'
>

interface ClientSession {
  readonly target: ClusterTarget
  readonly graphs: Map<number, ClusterExecutable>
}

/** Passes were run by the client. */
const noPasses = { name: 'none', run: <G>(graph: G): G => graph }
const silent = { says: {}, tensors: [] }

/** Makes a session on the cluster, unless the signal says before that nobody wants it any more. */
type Open = (options: ClientOptions & { readonly signal: AbortSignal }) => Promise<ClusterTarget>

/** Serves sessions. */
export class MasterService {
  private readonly open: Open

  constructor(open: Open) {
    this.open = open
  }

  /** What it serves on a connection; the sessions that are opened over it end with it, and are nobody else's. */
  methods(connection: Connection): Readonly<Record<string, Handler>> {
    const sessions = new Map<string, ClientSession>()
    const find = (id: string): ClientSession => {
      const session = sessions.get(id)
      if (!session) throw new UnavailableError(`no session ${id} is open over this connection`)
      return session
    }
    const end = async (id: string): Promise<void> => {
      const session = sessions.get(id)
      sessions.delete(id)
      await session?.target[Symbol.asyncDispose]()
    }
    void connection.closed.then(() => Promise.all([...sessions.keys()].map(end)))
    return Object.fromEntries([
      serving(protocol.createSession, async ({ says }, { signal }) => {
        const target = await this.open({ ...(says as ClientOptions), signal })
        if (signal.aborted) {
          await target[Symbol.asyncDispose]()
          throw signal.reason
        }
        const session = crypto.randomUUID()
        sessions.set(session, { target, graphs: new Map() })
        return { says: { session }, tensors: [] }
      }),
      serving(protocol.endSession, async ({ says: { session } }) => {
        await end(session)
        return silent
      }),
      serving(protocol.extend, async ({ says, tensors: [def] }) => {
        const { target, graphs } = find(says.session)
        const log: string[] = []
        const { fusion, softPlacement, maxActivationBytes } = says
        const how = { passes: noPasses, fusion, softPlacement, maxActivationBytes }
        const bound = graphFromBytes(def, says.feedCount)
        graphs.set(says.graph, await target.compile(bound, { ...how, log: (line) => void log.push(line) }))
        return { says: { log }, tensors: [] }
      }),
      serving(protocol.release, ({ says: { session, graph } }) => {
        const { graphs } = find(session)
        graphs.get(graph)?.free()
        graphs.delete(graph)
        return silent
      }),
      serving(protocol.runStep, async ({ says, tensors }, { signal }) => {
        const graph = find(says.session).graphs.get(says.graph)
        if (!graph) throw new NotFoundError(`graph ${says.graph} is not of this session`)
        const trace = says.trace ? new Trace() : undefined
        const fetches = await graph.run({ context: { signal, seed: says.seed }, trace }, tensors)
        return { says: { events: absolute(trace?.events ?? []) }, tensors: fetches }
      }),
      serving(protocol.areInitialized, async ({ says: { session, variables } }) => {
        const answers = await find(session).target.initialized(variables.map(resourceOf))
        return { says: { answers: [...answers] }, tensors: [] }
      }),
      serving(protocol.write, async ({ says: { session, variable, softPlacement }, tensors: [value] }) => {
        await find(session).target.write(resourceOf(variable), value!, { softPlacement })
        return silent
      }),
    ])
  }
}

/** A variable that would be made where the client's initial value asks to be. */
function resourceOf({ name, type, device }: protocol.VariableDef): VariableResource {
  const initial = onDevice(device, () => placeholder(type))
  return { kind: 'variable', name, type, trainable: false, initial }
}
