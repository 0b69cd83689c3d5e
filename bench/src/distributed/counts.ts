// What a call costs on the wire whatever the clock says: bytes beside those of the tensor, counted by a connection in this process.
import type { Clock, Connection } from '@shoal/distributed'
import { SocketTransport } from '@shoal/distributed/node'
import { echoBytes, host, sourceBytes } from './carrier.ts'
import { callerOf, served } from './carriers/shoal.ts'

/** The bytes of one call that are not the caller's own, headers and acknowledgements included. */
export interface WireCounts {
  readonly asking: number
  readonly answering: number
}
/** Counts by the names of calls. */
export type WireBook = { readonly [name: string]: WireCounts }

/** Signs of life would be counted, too: no time passes. */
const still: Clock = { now: () => 0, after: () => () => {} }
const deadlineMs = 60_000

const pulls = { 'pull-4kib': 2 ** 12, 'pull-64kib': 2 ** 16, 'pull-1mib': 2 ** 20, 'pull-4mib': 2 ** 22 }

/** Counts small calls, and fetched tensors of several sizes. */
export async function countWire(): Promise<WireBook> {
  const transport = new SocketTransport({ insecure: true, log: () => {}, clock: still })
  const accepted = Promise.withResolvers<Connection>()
  const listener = await transport.listen(`${host}:0`, { connected: accepted.resolve })
  const connection = await transport.connect(listener.address, { deadlineMs })
  const far = await accepted.promise
  far.serve(served(sourceBytes))
  const caller = callerOf(connection, false)
  const count = async (call: () => Promise<void>, asked: number, answered: number): Promise<WireCounts> => {
    // The first call may have greetings behind it.
    await call()
    const before = connection.traffic()
    await call()
    const after = connection.traffic()
    return {
      asking: after.sent - before.sent - asked,
      answering: after.received - before.received - answered,
    }
  }
  const found: { [name: string]: WireCounts } = {
    echo: await count(() => caller.echo(), echoBytes, echoBytes),
    push: await count(() => caller.push(4), 4, 0),
  }
  for (const [name, bytes] of Object.entries(pulls))
    found[name] = await count(() => caller.pull(bytes), 0, bytes)
  await listener.close()
  await connection.close()
  await far.closed
  return found
}
