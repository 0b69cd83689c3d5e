// What a node answers about its blobs, and takes of them. Who may ask is for whoever serves these methods to say.
import { type Handler, serving } from '@shoal/distributed/peers'
import * as api from '../api/blobs.ts'
import type { BlobStore } from './blobStore.ts'
import { pieceOf, pieceTensors } from './piece.ts'

/** The methods of api/blobs.ts, by name, over a store: entries of what `Connection.serve` takes. */
export function blobMethods(store: BlobStore): Readonly<Record<string, Handler>> {
  return Object.fromEntries([
    serving(api.has, ({ says: { hashes } }) => ({
      says: { bytes: hashes.map((hash) => store.size(hash) ?? -1) },
      tensors: [],
    })),
    serving(api.read, async ({ says: { hash, offset } }) => {
      const piece = await store.read(hash, offset, api.pieceBytes)
      return { says: { bytes: store.size(hash) ?? offset + piece.length }, tensors: pieceTensors(piece) }
    }),
    serving(api.write, async ({ says: { hash, offset, bytes, keepFor }, tensors }) => {
      const piece = pieceOf(tensors)
      if (keepFor !== '') await store.keep(hash, keepFor)
      const asks = piece.length === 0 && bytes > 0
      const there = asks ? await store.begin(hash, bytes) : await store.append({ hash, bytes, offset, piece })
      return { says: { there }, tensors: [] }
    }),
    serving(api.release, async ({ says: { keepFor } }) => {
      await store.release(keepFor)
      return { says: {}, tensors: [] }
    }),
  ])
}
