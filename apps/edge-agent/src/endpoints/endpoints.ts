// What tools of others may ask of a node where its owner opens a port for them: numbers for Prometheus, and gRPC. Neither is loaded where nobody asks for it.
import type { Credentials, PeerIdentity } from '@shoal/distributed/peers'
import type { AgentMetrics, AgentState } from '../history/prometheus.ts'

/** Which ports are open. */
export interface EndpointPorts {
  /** The port at which Prometheus reads; 0 for any. Default: none. */
  readonly metricsPort?: number
  /** The port at which gRPC is spoken: health, reflection, and how the node does; 0 for any. Default: none. */
  readonly controlPort?: number
}

/** For whom they are opened, and what is said there. */
export interface EndpointOptions extends EndpointPorts {
  readonly version: string
  readonly credentials: Credentials
  /** Where to listen. */
  readonly host: string
  /** The numbers of this node, where there is a port for them. */
  readonly metrics: AgentMetrics | undefined
  /** How the agent does at this moment. */
  readonly state: () => AgentState
  /** Throws for those who were removed. */
  readonly admit: (peer: PeerIdentity) => void
  readonly log: (line: string) => void
}

/** The numbers that jobs add to, where they are asked for. */
export async function numbersFor({ metricsPort }: EndpointPorts): Promise<AgentMetrics | undefined> {
  if (metricsPort === undefined) return undefined
  const { AgentMetrics } = await import('../history/prometheus.ts')
  return new AgentMetrics()
}

/** Opens what is asked for. @throws ConnectError where a port is taken. */
export async function openEndpoints(options: EndpointOptions): Promise<AsyncDisposable> {
  const { metricsPort, controlPort, metrics, state, log } = options
  await using parts = new AsyncDisposableStack()
  if (metricsPort !== undefined && metrics) {
    const { MetricsPage } = await import('./metricsPage.ts')
    const text = (): Promise<string> => {
      metrics.update(state())
      return metrics.text()
    }
    const { contentType } = metrics
    const page = parts.use(await MetricsPage.open({ ...options, port: metricsPort, text, contentType }))
    log(`Prometheus reads https://${page.address}/metrics, with a certificate of this cluster`)
  }
  if (controlPort !== undefined) {
    const { openControl } = await import('./control.ts')
    const control = parts.use(await openControl({ ...options, port: controlPort }))
    log(`gRPC is spoken at ${control.address}, with a certificate of this cluster`)
  }
  return parts.move()
}
