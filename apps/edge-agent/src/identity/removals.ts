// Who was put out of the cluster. The list is signed entry by entry with the authority's key, so that anybody may pass it on and nobody can make it up.
import { type ClusterAuthority, type PeerIdentity, SecurityError } from '@shoal/distributed/peers'
import { z } from 'zod'
import { isSignedFor, signedFor } from './nodeKey.ts'

/** A node that was removed. */
export const removalSchema = z.object({
  nodeId: z.string().max(63),
  /** When, in milliseconds since 1970. */
  at: z.int().min(0),
  /** That of the cluster's authority, base64. */
  signature: z.string().max(200),
})
/** A node that was removed. */
export type Removal = z.infer<typeof removalSchema>

/** What nodes tell each other of who was removed: the newest part of it where it is long. */
export const removalsSchema = z.array(removalSchema).max(1000)

const purpose = 'removal'
const saidOf = (cluster: string, { nodeId, at }: Omit<Removal, 'signature'>): string =>
  JSON.stringify([cluster, nodeId, at])

/** A removal that a manager decides. */
export function removalOf(nodeId: string, authority: ClusterAuthority, at = Date.now()): Removal {
  const said = saidOf(authority.cluster, { nodeId, at })
  return { nodeId, at, signature: signedFor(purpose, said, authority.export().privateKey) }
}

/** Where the list is kept, and who is told. */
export interface RemovalsOptions {
  readonly clusterId: string
  /** The certificate of the cluster's authority, PEM. */
  readonly authority: string
  /** What is known so far. Default: nothing. */
  readonly known?: readonly Removal[]
  /** Keeps the list. */
  readonly keep: (list: readonly Removal[]) => Promise<void>
}

/** The nodes that were removed from one cluster. An id that is on the list never leaves it. */
export class Removals {
  readonly #options: RemovalsOptions
  readonly #byNode = new Map<string, Removal>()
  readonly #listeners = new Set<(nodeId: string) => void>()
  #kept: Promise<void> = Promise.resolve()

  constructor(options: RemovalsOptions) {
    this.#options = options
    for (const removal of options.known ?? []) this.#byNode.set(removal.nodeId, removal)
  }

  /** All of them, the newest last. */
  get list(): readonly Removal[] {
    return [...this.#byNode.values()]
  }

  /** Was this node removed? */
  has(nodeId: string): boolean {
    return this.#byNode.has(nodeId)
  }

  /** Lets a peer in, for `admit` of a transport. @throws SecurityError for one that was removed. */
  readonly admit = ({ node }: Pick<PeerIdentity, 'node'>): void => {
    const removal = this.#byNode.get(node)
    if (removal)
      throw new SecurityError(
        `'${node}' was removed from this cluster at ${new Date(removal.at).toISOString()}: it can join again under another name, with a new code`,
      )
  }

  /**
   * Takes in what another node says. Settles when that is kept.
   * @returns those that were not known; for each of them the listeners were called.
   * @throws SecurityError for an entry that the authority has not signed, StateError where it cannot be kept.
   */
  async merge(list: readonly Removal[]): Promise<readonly string[]> {
    const { clusterId, authority, keep } = this.#options
    const news = list.filter(({ nodeId }) => !this.#byNode.has(nodeId))
    for (const removal of news)
      if (!isSignedFor(purpose, saidOf(clusterId, removal), authority, removal.signature))
        throw new SecurityError(
          `nobody who may do so has removed '${removal.nodeId}': the entry is not signed by the cluster's authority`,
        )
    if (news.length === 0) return []
    for (const removal of news) this.#byNode.set(removal.nodeId, removal)
    // Whoever was removed is out at once, whether that can be written down or not.
    const nodes = [...new Set(news.map(({ nodeId }) => nodeId))]
    for (const node of nodes) for (const listener of this.#listeners) listener(node)
    this.#kept = this.#kept.catch(() => undefined).then(() => keep(this.list))
    await this.#kept
    return nodes
  }

  /** Has `removed` called for each node that is removed from now on, until what is returned is called: its connections have to be closed. */
  onRemoved(removed: (nodeId: string) => void): () => void {
    this.#listeners.add(removed)
    return () => void this.#listeners.delete(removed)
  }
}
