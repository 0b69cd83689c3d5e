// Blobs brought to another node: it is asked first what it has, so that only what it lacks is moved.
import { callMethod, type Connection, ProtocolError } from '@shoal/distributed/peers'
import * as api from '../api/blobs.ts'
import type { BlobStore } from './blobStore.ts'
import { hashInTurns } from './hashing.ts'
import { pieceTensors } from './piece.ts'

/** A blob that can be read in pieces. */
export interface BlobSource {
  readonly hash: string
  readonly bytes: number
  read(offset: number, length: number): Promise<Uint8Array>
}

/** How a blob is brought. */
export interface PushOptions {
  /** For whom the other node keeps it, such as a job's id. Default: for nobody. */
  readonly keepFor?: string
  /** Milliseconds that the other node may take for a piece. Default 30,000. */
  readonly deadlineMs?: number
  readonly signal?: AbortSignal | undefined
  /** Told of the bytes of each piece that was moved. */
  readonly moved?: (bytes: number) => void
}

/** Bytes in memory, which may not change, as a blob. */
export async function blobOf(bytes: Uint8Array): Promise<BlobSource> {
  return {
    hash: await hashInTurns(bytes),
    bytes: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  }
}

/** A blob of a store; undefined where it is not there. */
export function storedBlob(store: BlobStore, hash: string): BlobSource | undefined {
  const bytes = store.size(hash)
  if (bytes === undefined) return undefined
  return { hash, bytes, read: (offset, length) => store.read(hash, offset, length) }
}

/** So often may a node have less than before, as when it has no room or begins anew. */
const mostSetbacks = 3

/**
 * Sees to it that a node has a blob; answers how many bytes had to be moved: 0 where it was there, the rest where it broke off earlier.
 * @throws what the node threw, as a RemoteError 'StorageFullError' where it has no room; what `Connection.call` throws.
 */
export async function pushBlob(
  blob: BlobSource,
  connection: Connection,
  options: PushOptions = {},
): Promise<number> {
  const { keepFor = '', deadlineMs = 30_000, signal, moved = () => {} } = options
  const { hash, bytes } = blob
  let total = 0
  const write = async (offset: number, piece: Uint8Array): Promise<number> => {
    const request = { hash, offset, bytes, keepFor }
    const how = { tensors: pieceTensors(piece), deadlineMs, signal }
    return (await callMethod(connection, api.write, request, how)).says.there
  }
  // With no bytes it is the question how many are there. The empty blob is whole then.
  let there = await write(0, new Uint8Array(0))
  for (let setbacks = 0; there < bytes; ) {
    const piece = await blob.read(there, Math.min(api.pieceBytes, bytes - there))
    const now = await write(there, piece)
    total += piece.length
    moved(piece.length)
    if (now <= there && ++setbacks > mostSetbacks)
      throw new ProtocolError(
        `the blob ${hash} does not grow at the other node: ${now} of ${bytes} bytes are there`,
      )
    there = now
  }
  return total
}

/** Hashes that one question may have. */
const askedAtOnce = 1000

/** Those of the blobs that a node does not have, each once. */
export async function missingBlobs(
  hashes: Iterable<string>,
  connection: Connection,
  { deadlineMs = 30_000, signal }: Pick<PushOptions, 'deadlineMs' | 'signal'> = {},
): Promise<readonly string[]> {
  const all = [...new Set(hashes)]
  const missing: string[] = []
  for (let at = 0; at < all.length; at += askedAtOnce) {
    const asked = all.slice(at, at + askedAtOnce)
    const { says } = await callMethod(connection, api.has, { hashes: asked }, { deadlineMs, signal })
    missing.push(...asked.filter((_, i) => (says.bytes[i] ?? -1) < 0))
  }
  return missing
}
