// The node as tools of gRPC see it: the control plane that nodes of a ClusterSpec have, of which nobody attends this one.
import { type Control, startControl } from '@shoal/distributed/control'
import type { Credentials } from '@shoal/distributed/peers'

/** Where it is spoken, and what of. */
export interface ControlPortOptions {
  readonly version: string
  readonly credentials: Credentials
  readonly host: string
  readonly port: number
  readonly log: (line: string) => void
}

/** Agents have no tasks of a ClusterSpec: this is how they are called where one is asked for. */
const task = '/job:agent/task:0'

/**
 * Speaks gRPC: `grpc.health.v1.Health`, `grpc.reflection.v1.ServerReflection` and `shoal.v1.Control`, under TLS 1.3 for whoever shows a
 * certificate of the cluster. Nobody may stop the agent by it: that is for the command on its own machine.
 * @throws ConnectError where it cannot listen.
 */
export async function openControl(options: ControlPortOptions): Promise<Control & AsyncDisposable> {
  const { version, credentials, host, port, log } = options
  const address = `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
  const control = await startControl({
    address,
    task,
    credentials,
    version,
    operators: [],
    onRefused: (why) => log(`refused at the port of gRPC: ${why}`),
    log,
  })
  return { ...control, [Symbol.asyncDispose]: () => control.close('the agent ends') }
}
