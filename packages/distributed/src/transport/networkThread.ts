// The thread that sockets live in: it listens and connects as it is told, and joins each connection to a port of the main thread.
import { type MessagePort, parentPort, workerData, MessageChannel } from 'node:worker_threads'
import { asError } from '../errors.ts'
import type { Connection, Listener, PeerIdentity } from './contract.ts'
import { connectPort } from './messagePort.ts'
import { relay } from './relay.ts'
import type { NodeCredentials } from '../security/identity.ts'
import { presentOf, RenewableCredentials } from '../security/renewable.ts'
import type { Security } from './security.ts'
import { type SocketOptions, SocketTransport } from './socket.ts'

/** What the main thread asks for. Each answer has the number of its question. */
export type Request = { readonly id: number } & (
  | { readonly kind: 'listen'; readonly address: string }
  | { readonly kind: 'connect'; readonly address: string; readonly deadlineMs: number }
  | { readonly kind: 'withdraw' }
  | { readonly kind: 'renew'; readonly credentials: NodeCredentials }
  | { readonly kind: 'close' }
)

/** What the thread says. */
export type Report =
  | { readonly kind: 'done'; readonly id: number; readonly address?: string; readonly joined?: Joined }
  | { readonly kind: 'failed'; readonly id: number; readonly error: SaidError }
  | { readonly kind: 'connected'; readonly id: number; readonly joined: Joined }
  | { readonly kind: 'refused'; readonly id: number; readonly error: SaidError }
  | { readonly kind: 'log'; readonly line: string }

/** A connection at the main thread's end of a port. */
export interface Joined {
  readonly port: MessagePort
  readonly peer: PeerIdentity
}
/** An error between threads. */
export interface SaidError {
  readonly name: string
  readonly message: string
}

const main = parentPort!
const say = (report: Report, ...transfer: MessagePort[]): void => main.postMessage(report, transfer)
const options = workerData as SocketOptions
const credentials =
  'credentials' in options ? new RenewableCredentials(presentOf(options.credentials)) : undefined
const security: Security = credentials ? { credentials } : { insecure: true }
const transport = new SocketTransport({
  ...options,
  ...security,
  log: (line) => say({ kind: 'log', line }),
})
const listeners = new Map<number, Listener>()
const connecting = new Map<number, AbortController>()

/** Joins a connection to a new port; answers the main thread's end. */
function join(connection: Connection): Joined {
  const { port1, port2 } = new MessageChannel()
  relay(connection, connectPort(port1, { cluster: '', node: 'main thread', role: '' }))
  return { port: port2, peer: connection.peer }
}

function said(thrown: unknown): SaidError {
  const { name, message } = asError(thrown)
  return { name, message }
}

async function serve(request: Request): Promise<void> {
  const { id } = request
  switch (request.kind) {
    case 'listen': {
      const listener = await transport.listen(request.address, {
        connected(connection) {
          const joined = join(connection)
          say({ kind: 'connected', id, joined }, joined.port)
        },
        refused: (error) => say({ kind: 'refused', id, error: said(error) }),
      })
      listeners.set(id, listener)
      return say({ kind: 'done', id, address: listener.address })
    }
    case 'connect': {
      const withdrawn = new AbortController()
      connecting.set(id, withdrawn)
      try {
        const { address, deadlineMs } = request
        const joined = join(await transport.connect(address, { deadlineMs, signal: withdrawn.signal }))
        return say({ kind: 'done', id, joined }, joined.port)
      } finally {
        connecting.delete(id)
      }
    }
    case 'renew':
      return credentials?.renew(request.credentials)
    case 'withdraw':
      return connecting.get(id)?.abort()
    case 'close':
      await listeners.get(id)?.close()
      listeners.delete(id)
      return say({ kind: 'done', id })
    default:
      return request satisfies never
  }
}

main.on('message', (request: Request) => {
  serve(request).catch((error: unknown) => say({ kind: 'failed', id: request.id, error: said(error) }))
})
