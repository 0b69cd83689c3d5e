// The bytes of jobs: kept here, fetched from whichever node has them, and copied to others.
import { NotFoundError } from '@shoal/core'
import type { Connection } from '@shoal/distributed/peers'
import type { BlobStore } from '../blobs/blobStore.ts'
import { BlobFetcher, pushBlob } from '../blobs/fetch.ts'
import type { Blobs } from '../jobs/ports.ts'
import type { Neighbours } from './neighbours.ts'

/** Blobs of this node and its neighbours. */
export function clusterBlobs(store: BlobStore, fetcher: BlobFetcher, neighbours: () => Neighbours): Blobs {
  const sources = (): readonly Connection[] => neighbours().present.map(({ connection }) => connection)
  const bring = async (hash: string, keepFor: string | undefined, signal: AbortSignal): Promise<void> => {
    if (keepFor !== undefined) await store.keep(hash, keepFor)
    if (!store.has(hash)) await fetcher.fetch(hash, { sources, signal })
  }
  return {
    put: (bytes, keepFor) => store.put(bytes, keepFor),
    async get(hash, { keepFor, signal }) {
      await bring(hash, keepFor, signal)
      return store.get(hash)
    },
    async fetch(hashes, { keepFor, signal }) {
      for (const hash of hashes) await bring(hash, keepFor, signal)
    },
    async push(hash, nodeId, { keepFor, signal }) {
      const neighbour = neighbours().get(nodeId)
      if (!neighbour) throw new NotFoundError(`'${nodeId}' is not connected: it cannot keep a blob`)
      await pushBlob(hash, neighbour.connection, { store, keepFor, signal })
    },
    sizes: (hashes) =>
      new Map(
        hashes.flatMap((hash) => {
          const size = store.size(hash)
          return size === undefined ? [] : [[hash, size] as const]
        }),
      ),
  }
}
