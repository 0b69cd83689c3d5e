// Members that live in one process, each connected to each: to try things out, and to study them.
import type { Clock } from '../clock.ts'
import { InProcessTransport } from '../transport/inProcess.ts'
import { connectMesh } from './connectMesh.ts'
import { Mesh } from './mesh.ts'

/** Meshes of one process, each connected to each; a connection that is closed stays so. `clock` defaults to the system's. */
export async function localMeshes(ids: readonly string[], clock?: Clock): Promise<readonly Mesh[]> {
  const identity = (node: string) => ({ cluster: 'local', node, role: 'worker' })
  const network = new InProcessTransport(identity(''), clock && { clock })
  const meshes = ids.map((id) => new Mesh(id, clock))
  for (const mesh of meshes)
    await connectMesh(mesh, mesh.id, network.as(identity(mesh.id)), {
      others: meshes.slice(0, meshes.indexOf(mesh)).map(({ id }) => [id, id] as const),
      redial: false,
    })
  return meshes
}
