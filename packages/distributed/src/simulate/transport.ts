// The way from a simulated process to others: the same calls, frames and flow control as over sockets, on simulated streams.
import { asError, ConnectError } from '../errors.ts'
import { FrameLink } from '../frame/link.ts'
import { parseAddress } from '../transport/address.ts'
import { PeerConnection } from '../transport/connection.ts'
import type { Connection, ConnectOptions, Listener, ListenOptions, Transport } from '../transport/contract.ts'
import { attempt } from '../transport/opening.ts'
import type { SimulatedNetwork } from './network.ts'
import type { SimulatedNode } from './node.ts'
import { Flow } from './parcel.ts'
import type { SimulatedProcess } from './process.ts'
import type { Segment } from './segment.ts'
import { SimulatedStream } from './stream.ts'
import { TracedLink } from './trace.ts'

/** How long a stranger may take to become a peer, as over sockets. */
const handshakeMs = 5000

/** Connects one process of a simulated network. Addresses are `name:port`; port 0 listens at a free one. */
export class SimulatedTransport implements Transport {
  readonly #process: SimulatedProcess

  constructor(process: SimulatedProcess) {
    this.#process = process
  }

  async listen(address: string, options: ListenOptions): Promise<Listener> {
    const { host, port } = parseAddress(address)
    const { name } = this.#process.node
    if (host !== name) throw new ConnectError(`'${name}' cannot listen at ${address}: that is another node`)
    const listener = this.#process.listenAt(port, options)
    if (!listener) throw new ConnectError(`cannot listen at ${address}: it is taken`)
    return listener
  }

  async connect(address: string, options: ConnectOptions): Promise<Connection> {
    const { host, port } = parseAddress(address)
    const { network } = this.#process.node
    if (!network.has(host))
      throw new ConnectError(`${address} cannot be reached: there is no node '${host}' in the network`)
    return attempt(`connecting to ${address}`, options, this.#process.clock, (aborted) =>
      this.#dial(network.node(host), port, aborted),
    )
  }

  /** Asks, is let in or refused after a round trip, and then speaks first, as both ends do. */
  #dial(to: SimulatedNode, port: number, aborted: AbortSignal): Promise<Connection> {
    const near = this.#process
    const from = near.node
    const { network } = from
    return new Promise((resolve, reject) => {
      const [there, back] = [new Flow(), new Flow()]
      const answer = (action: () => void): void =>
        network.carry({ from: to, to: from, bytes: 0, flow: back, deliver: () => near.deliver(action) })
      const arrived = (): void => {
        const far = to.process
        const listener = far.listenerAt(port)
        if (!listener)
          return answer(() =>
            reject(new ConnectError(`${to.name}:${port} cannot be reached: nobody listens there`)),
          )
        const [stream, farStream] = connectStreams(network, [near, there], [far, back])
        answer(() => {
          if (aborted.aborted) return stream.destroy()
          aborted.addEventListener('abort', () => stream.destroy(), { once: true })
          open(near, stream, to).then(resolve, reject)
        })
        far.deliver(() => accept(far, farStream, from, listener))
      }
      network.carry({ from, to, bytes: 0, flow: there, deliver: arrived })
    })
  }
}

/** Two streams, each the end of what the other sends. */
function connectStreams(
  network: SimulatedNetwork,
  ...ends: readonly [readonly [SimulatedProcess, Flow], readonly [SimulatedProcess, Flow]]
): readonly [SimulatedStream, SimulatedStream] {
  const make = (self: number): SimulatedStream => {
    const other = 1 - self
    const [[process, flow], [peer, back]] = [ends[self]!, ends[other]!]
    const [from, to] = [process.node, peer.node]
    const reset = (): void =>
      network.carry({
        from: to,
        to: from,
        bytes: 0,
        flow: back,
        deliver: () => process.deliver(() => stream.receive({ kind: 'reset' })),
      })
    const carry = (segment: Segment): void =>
      network.carry({
        from,
        to,
        bytes: segment.kind === 'bytes' ? segment.bytes.length : 0,
        flow,
        deliver() {
          const taken = peer.deliver(() => streams[other]!.receive(segment))
          // A machine that runs another process by now knows nothing of the connection.
          if (!taken && segment.kind !== 'reset') reset()
        },
      })
    const stream = new SimulatedStream(process, carry, () => from.wayTo(to).ready(stream))
    return stream
  }
  const streams = [make(0), make(1)] as const
  return streams
}

/** Lets a peer in, as a listener does. */
function accept(
  self: SimulatedProcess,
  stream: SimulatedStream,
  from: SimulatedNode,
  { connected, refused = () => {} }: ListenOptions,
): void {
  attempt(`a connection from ${from.name}`, { deadlineMs: handshakeMs }, self.clock, (aborted) => {
    aborted.addEventListener('abort', () => stream.destroy(), { once: true })
    return open(self, stream, from)
  }).then(connected, refused)
}

/** Begins to speak over a stream. @throws ConnectError when the peer ends it. */
async function open(
  { node, clock }: SimulatedProcess,
  stream: SimulatedStream,
  peer: SimulatedNode,
): Promise<Connection> {
  const { network, tell, signsOfLife } = node
  const frames = new FrameLink(stream, network.frames, clock, signsOfLife)
  const link = tell ? new TracedLink(frames, node.name, peer.name, tell) : frames
  const connection = new PeerConnection(link, peer.identity, clock)
  try {
    await frames.opened
  } catch (thrown) {
    throw new ConnectError(`'${peer.name}' does not answer as a peer would: ${asError(thrown).message}`, {
      cause: thrown,
    })
  }
  return connection
}
