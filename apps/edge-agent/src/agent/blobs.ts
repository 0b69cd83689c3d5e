// The bytes of jobs: kept here, fetched from whichever node has them, and copied to others.
import { NotFoundError } from '@shoal/core'
import { type Handler, namePeer, SecurityError } from '@shoal/distributed/peers'
import { read, write } from '../api/blobs.ts'
import type { BlobStore } from '../blobs/blobStore.ts'
import type { BlobFetcher } from '../blobs/fetch.ts'
import { pushBlob, storedBlob } from '../blobs/push.ts'
import { blobMethods } from '../blobs/service.ts'
import { jobIdSchema } from '../jobs/spec.ts'
import type { Blobs } from '../jobs/ports.ts'
import type { Neighbours } from './neighbours.ts'

/** Reading as the command of this node asks for it: what is not here is fetched from whoever has it. */
export function fetchingReads(
  store: BlobStore,
  fetcher: BlobFetcher,
  self: string,
): Readonly<Record<string, Handler>> {
  const { [read.name]: reads } = blobMethods(store)
  const fetching: Handler = async (message, call) => {
    try {
      return await reads!(message, call)
    } catch (error) {
      if (call.peer.node !== self || !(error instanceof NotFoundError)) throw error
      const { hash } = read.request.parse(JSON.parse(new TextDecoder().decode(message.head)))
      await fetcher.fetch(hash, { signal: call.signal })
      return reads!(message, call)
    }
  }
  return { [read.name]: fetching }
}

/** Writing as other nodes may: for jobs alone, and not as clients, who give what they have when it is fetched from them. */
export function writesForJobs(store: BlobStore, self: string): Readonly<Record<string, Handler>> {
  const { [write.name]: writes } = blobMethods(store)
  const checked: Handler = async (message, call) => {
    const { keepFor } = write.request.parse(JSON.parse(new TextDecoder().decode(message.head)))
    const { peer } = call
    const isForJob = keepFor === '' || jobIdSchema.safeParse(keepFor).success
    if (peer.node !== self && (peer.role === 'client' || !isForJob))
      throw new SecurityError(`${namePeer(peer)} may not have blobs kept here for '${keepFor}'`)
    return writes!(message, call)
  }
  return { [write.name]: checked }
}

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
    release: (keepFor) => store.release(keepFor),
    sizes: (hashes) =>
      new Map(
        hashes.flatMap((hash) => {
          const size = store.size(hash)
          return size === undefined ? [] : [[hash, size] as const]
        }),
      ),
  }
}
