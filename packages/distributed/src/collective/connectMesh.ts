// Members as processes have them: each dials those before it, and goes on dialling whom it has lost.
import { Backoff, pause, persist } from '../backoff.ts'
import { CancelledError, UnavailableError } from '../errors.ts'
import type { Connection, Listener, Transport } from '../transport/contract.ts'
import type { Mesh } from './mesh.ts'

/** Who a mesh is to reach. */
export interface MeshPeers {
  /**
   * Ids and addresses of those that are dialled; they learn who dials by the node of its identity. Of two members one dials, always the same: let it be
   * the later one, also where a member comes back.
   */
  readonly others: readonly (readonly [id: string, address: string])[]
  /** Milliseconds in which each is to be reached; attempts go on until then, since they may start later than this one. Default 10,000. */
  readonly deadlineMs?: number
  /** Is it an error if one of them is not reached in time? For members that come back it need not be: those who are there are enough. Default true. */
  readonly wait?: boolean
  /** Dials whoever was lost, until the listener is closed. Default true. */
  readonly redial?: boolean
  /** Numbers from 0 to 1, for the lengths of pauses. Default `Math.random`. */
  readonly random?: () => number
}

/** Milliseconds that one attempt may take. */
const attemptMs = 5000

/**
 * Lets a mesh listen, and dials others, who are connected to it by the node of its certificate. Answers the address, and what ends the listening and
 * the dialling.
 * @throws what the transport throws; UnavailableError naming who was not reached in time.
 */
export async function connectMesh(
  mesh: Mesh,
  address: string,
  transport: Transport,
  { others, deadlineMs = 10_000, wait = true, redial = true, random = Math.random }: MeshPeers,
): Promise<Listener> {
  const ended = new AbortController()
  const { signal } = ended
  const listener = await transport.listen(address, {
    connected: (connection: Connection) => mesh.connect(connection.peer.node, connection),
  })
  const close = async (): Promise<void> => {
    ended.abort(new CancelledError(`'${mesh.id}' dials nobody any more`))
    await listener.close()
  }
  try {
    if (wait)
      for (const [id, there] of others) {
        const missing = (cause: Error): Error =>
          new UnavailableError(
            `'${id}' at ${there} was not reached within ${deadlineMs} ms: ${cause.message}`,
            {
              cause,
            },
          )
        const dial = (leftMs: number): Promise<Connection> =>
          transport.connect(there, { deadlineMs: leftMs, signal })
        mesh.connect(id, await persist(dial, missing, { deadlineMs, clock: mesh.clock, signal, random }))
      }
  } catch (error) {
    await close()
    throw error
  }
  if (redial || !wait)
    for (const [id, there] of others)
      void keepReached(mesh, id, () => transport.connect(there, { deadlineMs: attemptMs, signal }), {
        signal,
        redial,
        random,
      })
  return { address: listener.address, close }
}

/** Dials a member until it is reached, and again when it was lost. It never rejects. */
async function keepReached(
  mesh: Mesh,
  id: string,
  dial: () => Promise<Connection>,
  {
    signal,
    redial,
    random,
  }: { readonly signal: AbortSignal; readonly redial: boolean; readonly random: () => number },
): Promise<void> {
  const backoff = new Backoff({ random })
  while (!signal.aborted)
    try {
      if (!mesh.reaches(id)) mesh.connect(id, await dial())
      if (!redial) return
      backoff.reset()
      await lost(mesh, id, signal)
    } catch {
      // Whoever needs the member says in its own words that it is missing; here it is tried again.
      await pause(backoff.next(), mesh.clock, signal).catch(() => {})
    }
}

/** Settles when a member is not reached any more, or nobody wants to know. */
function lost(mesh: Mesh, id: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stop()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const stop = mesh.onLost((which) => {
      if (which === id && !mesh.reaches(id)) done()
    })
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted || !mesh.reaches(id)) done()
  })
}
