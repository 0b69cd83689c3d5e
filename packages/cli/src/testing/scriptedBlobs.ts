// Blobs in memory, as an agent answers for them.
import { fromBytes } from '@shoal/core'
import { type Handler, serving } from '@shoal/distributed/peers'
import { blobMethods, hashOf, pieceBytes } from '@shoal/edge-agent/client'
import { answering } from './testAgent.ts'

/** Blobs in memory. */
export class ScriptedBlobs {
  readonly blobs = new Map<string, Uint8Array>()
  /** Bytes that were sent here. */
  received = 0
  /** For whom blobs are kept that were not released. */
  readonly keepers = new Set<string>()

  /** Keeps bytes. Answers their hash. */
  put(bytes: Uint8Array): string {
    const hash = hashOf(bytes)
    this.blobs.set(hash, bytes)
    return hash
  }

  /** What its agent answers. */
  get methods(): readonly (readonly [string, Handler])[] {
    return [
      answering(blobMethods.has, ({ hashes }) => ({
        bytes: hashes.map((hash) => this.blobs.get(hash)?.byteLength ?? -1),
      })),
      answering(blobMethods.write, ({ hash, keepFor }, tensors) => {
        this.keepers.add(keepFor)
        const piece = tensors[0]?.bytes ?? new Uint8Array(0)
        this.received += piece.byteLength
        const there = this.blobs.get(hash) ?? new Uint8Array(0)
        const now = Buffer.concat([there, piece])
        if (piece.byteLength > 0) this.blobs.set(hash, now)
        return { there: now.byteLength }
      }),
      serving(blobMethods.read, async ({ says: { hash, offset } }) => {
        const whole = this.blobs.get(hash)!
        const piece = whole.slice(offset, offset + pieceBytes)
        return {
          says: { bytes: whole.byteLength },
          tensors: [fromBytes('uint8', [piece.byteLength], piece)],
        }
      }),
      answering(blobMethods.release, ({ keepFor }) => {
        this.keepers.delete(keepFor)
        return {}
      }),
    ]
  }
}
