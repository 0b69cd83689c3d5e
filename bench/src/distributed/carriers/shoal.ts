// Shoal's transports, asked by the same calls as everybody else. Bytes travel as a tensor, straight into memory that the receiver gives.
import { NDArray } from '@shoal/core'
import type { Connection, Handler, Listener, Message, Transport } from '@shoal/distributed'
import {
  type NodeCredentials,
  SocketTransport,
  ThreadedTransport,
  WebSocketTransport,
} from '@shoal/distributed/node'
import type { Caller, Carrier } from '../carrier.ts'
import { echoBytes, host, sourceBytes, targetBytes } from '../carrier.ts'

const deadlineMs = 60_000
/** Larger ones are fetched by those who want them, over a connection of their own: whoever dials receives fastest. */
const mostPushed = 2 ** 16

const nothing: Uint8Array = new Uint8Array(0)
const empty: Message = { head: nothing, tensors: [] }
const tensorOf = (bytes: Uint8Array): NDArray => new NDArray('uint8', [bytes.length], bytes)
const decoder = new TextDecoder()
const said = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const heard = <T>({ head }: Message): T => JSON.parse(decoder.decode(head)) as T

/** What the far end serves. `fetch` gets bytes from the peer where it listens. */
export const served = (
  memory: (length: number) => Uint8Array,
  fetch?: (address: string, bytes: number) => Promise<void>,
): Readonly<Record<string, Handler>> => ({
  pull: async (message) => ({ head: nothing, tensors: [tensorOf(memory(heard<number>(message)))] }),
  echo: async ({ head }) => ({ head, tensors: [] }),
  push: async () => empty,
  async fetch(message) {
    const { address, bytes } = heard<{ readonly address: string; readonly bytes: number }>(message)
    await fetch!(address, bytes)
    return empty
  },
})

/**
 * Calls over a connection.
 * @param into whether what is pulled is to lie in this process's own memory, or stays where the transport has put it
 * @param listening where this end listens for a far end that fetches from it
 */
export function callerOf(connection: Connection, into: boolean, listening?: () => Promise<string>): Caller {
  const echoed = new Uint8Array(echoBytes)
  const small = new Map<number, Message>()
  const pull = async (bytes: number): Promise<void> => {
    const options = into ? { deadlineMs, into: () => targetBytes(bytes) } : { deadlineMs }
    await connection.call('pull', { head: said(bytes), tensors: [] }, options)
  }
  return {
    pull,
    async push(bytes) {
      if (bytes > mostPushed && listening)
        await connection.call(
          'fetch',
          { head: said({ address: await listening(), bytes }), tensors: [] },
          { deadlineMs },
        )
      else await connection.call('push', pushed(small, bytes), { deadlineMs })
    },
    async echo() {
      await connection.call('echo', { head: echoed, tensors: [] }, { deadlineMs })
    },
    close: () => connection.close(),
  }
}

function pushed(messages: Map<number, Message>, bytes: number): Message {
  const known = messages.get(bytes) ?? { head: nothing, tensors: [tensorOf(sourceBytes(bytes))] }
  messages.set(bytes, known)
  return known
}

/**
 * A transport between processes.
 * @param into as for `callerOf`
 */
function between(
  name: string,
  version: string,
  link: 'clear' | 'TLS',
  make: (credentials: NodeCredentials) => Transport,
  into = true,
): Carrier {
  let made: Transport | undefined
  // One serves all connections of a process, as it does in a server.
  const ofProcess = (credentials: NodeCredentials): Transport => (made ??= make(credentials))
  const listen = (transport: Transport, connected: (connection: Connection) => void): Promise<Listener> =>
    transport.listen(`${host}:0`, { connected })
  return {
    name,
    version,
    link,
    async serve(credentials) {
      const transport = ofProcess(credentials)
      const callers = new Map<string, Promise<Caller>>()
      const dialled = async (to: string): Promise<Caller> =>
        callerOf(await transport.connect(to, { deadlineMs }), into)
      const connections = new Set<Connection>()
      const methods = served(sourceBytes, async (to, bytes) => {
        const known = callers.get(to) ?? dialled(to)
        callers.set(to, known)
        await (await known).pull(bytes)
      })
      const { address } = await listen(transport, (connection) => {
        connections.add(connection)
        connection.serve(methods)
      })
      const queued = (): number =>
        [...connections].reduce((sum, connection) => sum + connection.traffic().queued, 0)
      return { address, queued }
    },
    async connect(address, credentials) {
      const transport = ofProcess(credentials)
      let own: Promise<Listener> | undefined
      const listening = async (): Promise<string> => {
        own ??= listen(transport, (connection) => connection.serve(served(sourceBytes)))
        return (await own).address
      }
      const caller = callerOf(await transport.connect(address, { deadlineMs }), into, listening)
      return {
        ...caller,
        async close() {
          await (await own)?.close()
          await caller.close()
        },
      }
    },
  }
}

const options = (link: 'clear' | 'TLS', credentials: NodeCredentials) =>
  link === 'TLS' ? { credentials } : { insecure: true as const, log: () => {} }

/** The data plane: framed sockets. */
export const sockets = (link: 'clear' | 'TLS', version: string): Carrier =>
  between('shoal', version, link, (credentials) => new SocketTransport(options(link, credentials)))

/** The same in a thread of its own, as servers use it: tensors come to lie in memory that both threads share. */
export const threadedSockets = (link: 'clear' | 'TLS', version: string): Carrier =>
  between(
    'shoal, thread',
    version,
    link,
    (credentials) => new ThreadedTransport(options(link, credentials)),
    false,
  )

/** The same frames over WebSockets. */
export const webSockets = (link: 'clear' | 'TLS', version: string): Carrier =>
  between(
    'shoal, WebSocket',
    version,
    link,
    (credentials) => new WebSocketTransport(options(link, credentials)),
  )
