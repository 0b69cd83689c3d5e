// The daemon: one agent after the other in the same folder, since a node that changes its cluster begins anew.
import { asError, pause, systemClock } from '@shoal/distributed/peers'
import { z } from 'zod'
import type { EndpointPorts } from '../endpoints/endpoints.ts'
import { announceAgent } from '../identity/agentFile.ts'
import { lockFolder } from '../identity/folderLock.ts'
import { Identity } from '../identity/identity.ts'
import { becomeValid } from '../identity/renewal.ts'
import { StateFolder } from '../identity/stateFolder.ts'
import { checkEngine } from '../task/command.ts'
import { Agent } from './agent.ts'
import { rememberedMembers } from './door.ts'
import { version } from './version.ts'

/** How to run a node. */
export interface RunOptions extends EndpointPorts {
  /** Where it keeps everything. Default: `$SHOAL_HOME`, else `shoal` in the user's state folder. */
  readonly folder?: string
  /** The host to listen at. Default: all interfaces, by IPv6 and IPv4. */
  readonly host?: string
  /** The port to listen at. Default: the one that it had last, or any that is free. */
  readonly port?: number
  /** What a new node is called. Default: the name of the machine. */
  readonly name?: string
  /** Addresses of peers, `host:port`, for networks without multicast. Default none. */
  readonly peers?: readonly string[]
  /** Whether to look for others by multicast, and be found. Default true. */
  readonly mdns?: boolean
  /** Ends it: its tasks are stopped, and it says goodbye. */
  readonly signal: AbortSignal
  /** One line for whatever a person should know. */
  readonly log: (line: string) => void
  /** Told whenever it listens. Default: nobody. */
  readonly listening?: (at: {
    readonly nodeId: string
    readonly clusterId: string
    readonly address: string
  }) => void
}

/**
 * Runs a node until the signal aborts or it is told to stop.
 * @throws LockedError where another agent has the folder, StateError for a folder that cannot be used, ConnectError where it cannot listen, and
 * LaunchError on a Node that cannot confine programs.
 */
export async function runAgent(options: RunOptions): Promise<void> {
  const { signal, log, listening = () => {} } = options
  checkEngine()
  const folder = await StateFolder.open(options.folder)
  await using _lock = await lockFolder(folder)
  let identity = await Identity.open(folder, options.name === undefined ? {} : { name: options.name })
  let port = options.port ?? (await folder.read(portFile, portSchema))?.port
  while (!signal.aborted) {
    if (!identity.isValid) {
      const managers = await rememberedMembers(folder, identity.clusterId)
      await becomeValid(identity, { managers: () => managers, log, signal })
    }
    const agent = await opened(folder, identity, port, options)
    let next: Identity | undefined
    try {
      await using _announced = await announceAgent(folder, { address: agent.address, version })
      // The same port for the next one, whatever cluster it is in, and after the next start: others know it.
      if (agent.port !== port) await folder.write(portFile, { port: agent.port })
      port = agent.port
      const { nodeId, clusterId, address } = agent
      log(`node '${nodeId}' of cluster ${clusterId.slice(0, 12)} listens at ${address}`)
      listening({ nodeId, clusterId, address })
      next = await agent.ended(signal)
    } finally {
      await agent[Symbol.asyncDispose]()
    }
    if (!next) return
    identity = next
  }
}

const portFile = 'port.json'
const portSchema = z.object({ port: z.int().min(1).max(65_535) })

/** The port of the agent before may be taken for a moment still; where it stays taken, and nobody asked for that one, another will do. */
async function opened(
  state: StateFolder,
  identity: Identity,
  port: number | undefined,
  options: RunOptions,
): Promise<Agent> {
  const openAt = (at: number | undefined): Promise<Agent> =>
    Agent.open({ ...options, state, identity, ...(at !== undefined && { port: at }) })
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      return await openAt(port)
    } catch (error) {
      if (!asError(error).message.includes('EADDRINUSE') || port === options.port) throw error
      await pause(50, systemClock, options.signal)
    }
  }
  options.log(`port ${port} is taken by another program: this node listens at another one from now on`)
  return openAt(undefined)
}
