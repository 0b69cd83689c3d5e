// Hashes of much, piece by piece: a node that hashes a gigabyte must go on saying that it is alive.
import { createHash, type Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'

const pieceBytes = 2 ** 20

/** A hash of nothing yet: the one that names blobs. */
export const beginHash = (): Hash => createHash('sha256')

/** As `hashOf`, but lets others have a turn. The bytes may not change until it has settled. */
export async function hashInTurns(bytes: Uint8Array): Promise<string> {
  const hash = beginHash()
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (at > 0) await setImmediate()
    hash.update(bytes.subarray(at, at + pieceBytes))
  }
  return hash.digest('hex')
}

/**
 * Takes a file into a hash, from its beginning to `bytes` or to where it ends; answers how many bytes there were.
 * @param into keeps what is read; as many bytes.
 */
export async function hashFile(
  file: FileHandle,
  bytes: number,
  hash: Hash,
  into?: Uint8Array,
): Promise<number> {
  const block = into ? undefined : new Uint8Array(Math.min(bytes, pieceBytes))
  let at = 0
  while (at < bytes) {
    const length = Math.min(pieceBytes, bytes - at)
    const space = into ? into.subarray(at, at + length) : block!.subarray(0, length)
    const { bytesRead } = await file.read(space, 0, length, at)
    if (bytesRead === 0) break
    hash.update(space.subarray(0, bytesRead))
    at += bytesRead
  }
  return at
}
