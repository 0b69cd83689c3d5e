// A server as a process of a cluster has it: sockets under TLS in a thread, signs of life in another.
import type { Device } from '@shoal/core'
import type { ServerDef } from '../cluster/serverDef.ts'
import type { ControlOptions } from '../control/controlOptions.ts'
import type { StopRequest } from '../control/controlService.ts'
import { startControl } from '../control/startControl.ts'
import { checkCredentials } from '../security/identity.ts'
import { presentOf } from '../security/renewable.ts'
import { demandTask } from '../security/taskIdentity.ts'
import { formatAddress, parseAddress } from '../transport/address.ts'
import { namePeer } from '../transport/contract.ts'
import type { Security } from '../transport/security.ts'
import { ThreadedTransport, type ThreadedOptions } from '../transport/threadedTransport.ts'
import { afresh, Server, type ServerRuntime } from './server.ts'
import type { StartAttention } from './watch.ts'

/** What a server of a process runs on: with `credentials`, or on this machine alone with `insecure: true`, which logs a warning. */
export type StartServerOptions = Security &
  Pick<ServerRuntime, 'recvDeadlineMs' | 'host'> &
  Pick<ThreadedOptions, 'frames'> & {
    /** In order of preference. The server closes them in the end, and where it cannot start. */
    readonly devices: readonly Device[]
    /** The port at which signs of life are taken, on the same host: for firewalls that have to know it. Default: a free one, which peers are told. */
    readonly controlPort?: number
    /** How often to give signs of life, and how long to wait for those of others. Default: a peer is dead after 2.5 s of silence. */
    readonly heartbeat?: ControlOptions['heartbeat']
    /** Told when an operator wants this node to drain or to stop. Default: the server is closed, which ends what it is doing. */
    readonly onStop?: (request: StopRequest) => void
    /** One line for whatever a person should know: who joined and who is dead, who was refused, what ops print. Default: `console.log`. */
    readonly log?: (line: string) => void
  }

/**
 * Starts a task of a cluster in this process, which others reach at its address: tensors go over sockets of a thread of their own, signs of life
 * over the gRPC control plane of another one, so that long kernels delay neither. `server.liveness` tells who of the cluster is dead.
 * @throws SecurityError for credentials that are not valid or for another job, and for clear text that would leave this machine; ConnectError where
 * it cannot listen.
 */
export async function startServer(def: ServerDef, options: StartServerOptions): Promise<Server> {
  const { devices, recvDeadlineMs, host, controlPort, frames, heartbeat, onStop, ...rest } = options
  const { log = console.log, ...security } = rest
  let transport: ThreadedTransport
  try {
    if ('credentials' in security) demandTask(def, checkCredentials(presentOf(security.credentials)))
    transport = new ThreadedTransport({ ...security, log, ...(frames && { frames }) })
  } catch (error) {
    await Promise.all(devices.map((device) => device[Symbol.asyncDispose]()))
    throw error
  }
  const attend: StartAttention = async ({ task, address, devices: known, changed, log: say }) => {
    const control = await startControl({
      ...security,
      ...(heartbeat && { heartbeat }),
      address: formatAddress({ ...parseAddress(address), port: controlPort ?? 0 }),
      task,
      status: { devices: known },
      onPeer: changed,
      onStop(request) {
        const { kind, by, reason } = request
        say(`${task}: asked to ${kind} by ${namePeer(by)}: ${reason}`)
        if (onStop) onStop(request)
        else void server.close()
      },
      onRefused: afresh((why) => say(`${task}: refused signs of life: ${why}`)),
      // The transport has said already what it means to be insecure.
      log: () => {},
    })
    void control.closed.then((why) => {
      if (!why) return
      // To the others it is dead from now on: one that goes on nevertheless would do what another one does as well.
      say(`${task}: ends, since it cannot give signs of life any more: ${why.message}`)
      void server.close()
    })
    return control
  }
  let server: Server
  try {
    server = await Server.start(def, {
      devices,
      transport,
      attend,
      log,
      host,
      ...(recvDeadlineMs && { recvDeadlineMs }),
    })
  } catch (error) {
    await transport[Symbol.asyncDispose]()
    throw error
  }
  void server.join().then(() => transport[Symbol.asyncDispose]())
  return server
}
