// What members of a ring send for one sum over sockets, beside the least that any such sum must: counted, not timed.
import { ndarray } from '@shoal/core'
import { type Clock, type Connection, connectMesh, Generations, Mesh } from '@shoal/distributed'
import { type ClusterAuthority, SocketTransport } from '@shoal/distributed/node'
import { host } from './carrier.ts'

/** The bytes of one sum. */
export interface RingCounts {
  readonly members: number
  /** The bytes of what is summed. */
  readonly bytes: number
  /** What each member has to send at least: 2(n − 1)/n times the bytes. */
  readonly least: number
  /** What that member sent who sent most, headers and acknowledgements included. */
  readonly sent: number
}

/** Signs of life would be counted, too: no time passes. */
const still: Clock = { now: () => 0, after: () => () => {} }
const deadlineMs = 60_000

/** Sums float32 values of as many members, each with a certificate and connections of its own. */
export async function countRing(
  authority: ClusterAuthority,
  members: number,
  length: number,
): Promise<RingCounts> {
  const ids = Array.from({ length: members }, (_, i) => `member${i}`)
  const connections = new Map<string, Connection[]>(ids.map((id) => [id, []]))
  const others: (readonly [id: string, address: string])[] = []
  const listeners: { close(): Promise<void> }[] = []
  const meshes: Mesh[] = []
  for (const id of ids) {
    const mesh = new CountedMesh(id, connections.get(id)!)
    const credentials = await authority.issue({ node: id, role: 'worker' })
    const transport = new SocketTransport({ credentials, clock: still })
    const listener = await connectMesh(mesh, `${host}:0`, transport, { others: [...others] })
    others.push([id, listener.address])
    listeners.push(listener)
    meshes.push(mesh)
  }
  const groups = meshes.map((mesh) => new Generations(mesh).enter({ number: 1, members: ids }))
  const sentBy = (): number[] =>
    ids.map((id) => connections.get(id)!.reduce((sum, connection) => sum + connection.traffic().sent, 0))
  const values = new Float32Array(length).fill(1)
  const sum = (key: string): Promise<unknown> =>
    Promise.all(groups.map((group) => group.allReduce(key, [ndarray(values)], { op: 'sum', deadlineMs })))
  // The first one may have greetings behind it.
  await sum('first')
  const before = sentBy()
  await sum('second')
  const sent = Math.max(...sentBy().map((bytes, i) => bytes - before[i]!))
  await Promise.all([...connections.values()].flat().map((connection) => connection.close()))
  await Promise.all(listeners.map((listener) => listener.close()))
  return { members, bytes: 4 * length, least: ((2 * (members - 1)) / members) * 4 * length, sent }
}

/** A member that keeps its connections, to read their counters. */
class CountedMesh extends Mesh {
  readonly #connections: Connection[]

  constructor(id: string, connections: Connection[]) {
    super(id, still)
    this.#connections = connections
  }

  override connect(...given: Parameters<Mesh['connect']>): void {
    this.#connections.push(given[1])
    super.connect(...given)
  }
}
