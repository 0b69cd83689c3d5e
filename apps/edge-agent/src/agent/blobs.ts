// The bytes of jobs: kept here, fetched from whichever node has them, and copied to others.
import { NotFoundError } from '@shoal/core'
import type { BlobStore } from '../blobs/blobStore.ts'
import type { BlobFetcher } from '../blobs/fetch.ts'
import { pushBlob, storedBlob } from '../blobs/push.ts'
import type { Blobs } from '../jobs/ports.ts'
import type { Neighbours } from './neighbours.ts'

/** Blobs of this node and its neighbours. */
export function clusterBlobs(store: BlobStore, fetcher: BlobFetcher, neighbours: () => Neighbours): Blobs {
  const bring = async (hash: string, keepFor: string | undefined, signal: AbortSignal): Promise<void> => {
    if (keepFor !== undefined) await store.keep(hash, keepFor)
    if (!store.has(hash)) await fetcher.fetch(hash, { signal })
  }
  return {
    put: (bytes, keepFor) => store.put(bytes, keepFor),
    async get(hash, { keepFor, signal }) {
      if (keepFor !== undefined) await store.keep(hash, keepFor)
      return fetcher.get(hash, { signal })
    },
    async fetch(hashes, { keepFor, signal }) {
      for (const hash of hashes) await bring(hash, keepFor, signal)
    },
    async push(hash, nodeId, { keepFor, signal }) {
      const neighbour = neighbours().get(nodeId)
      if (!neighbour) throw new NotFoundError(`'${nodeId}' is not connected: it cannot keep a blob`)
      const blob = storedBlob(store, hash)
      if (!blob) throw new NotFoundError(`the blob ${hash} is not here`)
      await pushBlob(blob, neighbour.connection, { keepFor, signal })
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
