// Members that live in one process, each connected to each: to try things out, and to study them.
import { persist } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import { UnavailableError } from '../errors.ts'
import type { Connection, Transport } from '../transport/contract.ts'
import { InProcessTransport } from '../transport/inProcess.ts'
import { Mesh } from './mesh.ts'

/** Meshes of one process, each connected to each. `clock` defaults to the system's. */
export async function localMeshes(ids: readonly string[], clock?: Clock): Promise<readonly Mesh[]> {
  const identity = (node: string) => ({ cluster: 'local', node, role: 'worker' })
  const network = new InProcessTransport(identity(''), clock && { clock })
  const meshes = ids.map((id) => new Mesh(id, clock))
  for (const mesh of meshes)
    await connectMesh(mesh, mesh.id, network.as(identity(mesh.id)), {
      others: meshes.slice(0, meshes.indexOf(mesh)).map(({ id }) => [id, id] as const),
    })
  return meshes
}

/** Who a mesh is to reach. */
export interface MeshPeers {
  /** Ids and addresses of those that are dialled; they learn who dials by the node of its identity. */
  readonly others: readonly (readonly [id: string, address: string])[]
  /** Milliseconds in which each is to be reached; attempts go on until then, since they may start later than this one. Default 10,000. */
  readonly deadlineMs?: number
}

/**
 * Lets a mesh listen, and dials others, who are connected to it by the node of its certificate. Answers the address, and what ends the listening.
 * @throws what the transport throws.
 */
export async function connectMesh(
  mesh: Mesh,
  address: string,
  transport: Transport,
  { others, deadlineMs = 10_000 }: MeshPeers,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const listener = await transport.listen(address, {
    connected: (connection: Connection) => mesh.connect(connection.peer.node, connection),
  })
  for (const [id, there] of others) {
    const missing = (cause: Error): Error =>
      new UnavailableError(`'${id}' at ${there} was not reached within ${deadlineMs} ms: ${cause.message}`, {
        cause,
      })
    const dial = (leftMs: number): Promise<Connection> => transport.connect(there, { deadlineMs: leftMs })
    mesh.connect(id, await persist(dial, missing, { deadlineMs, clock: mesh.clock }))
  }
  return listener
}
