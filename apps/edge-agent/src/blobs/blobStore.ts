// Bytes under the hash of what they are, in a folder that is a bounded cache for all but what somebody keeps. Nothing is ever answered that does not
// have its hash; nothing is there under its name before it is whole.
import { constants, type FileHandle, mkdir, open, rename, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { NotFoundError, ValueError } from '@shoal/core'
import { type Disk, systemDisk, writeWhole } from './disk.ts'
import { CorruptBlobError } from './errors.ts'
import { beginHash, hashFile, hashInTurns } from './hashing.ts'
import { type Entry, Holdings } from './holdings.ts'
import { Keeps } from './keeps.ts'
import { Part } from './part.ts'
import { draftPathOf, isLost, makeShelf, partPathOf, pathOf, removeFile, shelved } from './shelves.ts'
import { Turns } from './turns.ts'

/** How blobs are kept. */
export interface BlobStoreOptions {
  /** Made where it is not there. One store at a time may use it. */
  readonly folder: string
  /** The most bytes of all blobs together. */
  readonly maxBytes: number
  /** Bytes of the disk that are left to others. */
  readonly minFreeBytes: number
  /** Told in words what was repaired. */
  readonly log: (line: string) => void
  /** Default: that of this machine. */
  readonly disk?: Disk
  /** Milliseconds since 1970. Default: the machine's. */
  readonly now?: () => number
}

/** A piece of a blob. */
export interface BlobPiece {
  readonly hash: string
  /** Of the whole blob. */
  readonly bytes: number
  /** Where the piece begins. */
  readonly offset: number
  readonly piece: Uint8Array
}

const minute = 60_000
/** A file is verified before pieces of it are read, and again after so long: disks forget. */
const verifiedForMs = 10 * minute
/** A beginning that has not grown for so long goes at the next start. */
const abandonedMs = 7 * 24 * 60 * minute

/** Blobs on the disk of this node. */
export class BlobStore implements AsyncDisposable {
  readonly #options: Required<BlobStoreOptions>
  readonly #keeps: Keeps
  readonly #held: Holdings
  /** One at a time makes a blob. */
  readonly #turns = new Turns()

  private constructor(options: Required<BlobStoreOptions>, keeps: Keeps) {
    this.#options = options
    this.#keeps = keeps
    this.#held = new Holdings(options, {
      isKept: (hash) => keeps.has(hash),
      isBusy: (hash) => this.#turns.busy(hash),
    })
  }

  /** Opens the store of a folder. @throws JournalError where a newer version has written there. */
  static async open(options: BlobStoreOptions): Promise<BlobStore> {
    const all = { disk: systemDisk, now: Date.now, ...options }
    const { folder, disk, log, now } = all
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const keeps = await Keeps.open(join(folder, 'kept.jsonl'), { log, disk })
    try {
      const store = new BlobStore(all, keeps)
      for (const { hash, whole, path, bytes, usedAt } of await shelved(folder)) {
        if (whole) store.#held.entries.set(hash, { bytes, usedAt, verified: undefined })
        else if (now() - usedAt > abandonedMs) await removeFile(path)
        else store.#held.parts.set(hash, new Part(path, bytes, usedAt))
      }
      return store
    } catch (error) {
      await keeps[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Bytes of all blobs, and of what is there of others. */
  get bytes(): number {
    return this.#held.bytes
  }

  /** How many blobs are there. */
  get count(): number {
    return this.#held.entries.size
  }

  /** Is it there, whole? */
  has(hash: string): boolean {
    return this.#held.entries.has(hash)
  }

  /** Its bytes; undefined where it is not there. */
  size(hash: string): number | undefined {
    return this.#held.entries.get(hash)?.bytes
  }

  /** Keeps a blob, there or not yet, until nobody keeps it any more; over restarts. @param holder such as a job's id. @throws StorageFullError. */
  keep(hash: string, holder: string): Promise<void> {
    return this.#keeps.keep(hash, holder)
  }

  /** Keeps nothing for this holder any more. */
  release(holder: string): Promise<void> {
    return this.#keeps.release(holder)
  }

  /** Is it kept for anybody? */
  isKept(hash: string): boolean {
    return this.#keeps.has(hash)
  }

  /**
   * Takes bytes, which may not change until it has settled, and answers their hash.
   * @param keepFor keeps the blob for somebody from the first moment. Default: it is not kept.
   * @throws StorageFullError.
   */
  async put(bytes: Uint8Array, keepFor?: string): Promise<string> {
    const { folder, disk } = this.#options
    const hash = await hashInTurns(bytes)
    if (keepFor !== undefined) await this.keep(hash, keepFor)
    return this.#turns.take(hash, async () => {
      if (await this.#used(hash)) return hash
      const path = pathOf(folder, hash)
      await this.#held.write(bytes.length, async () => {
        await makeShelf(path)
        await writeWhole(path, bytes, { draft: draftPathOf(folder, hash), disk })
        this.#held.enter(hash, bytes.length)
      })
      await this.#held.removePart(hash)
      return hash
    })
  }

  /** All of a blob. @throws NotFoundError, CorruptBlobError: then it is there no more, and may be had from elsewhere. */
  async get(hash: string): Promise<Uint8Array> {
    const entry = await this.#mustHave(hash)
    const bytes = new Uint8Array(entry.bytes)
    await this.#checked(hash, entry, bytes)
    return bytes
  }

  /** A part of a blob, shorter where the blob ends. The whole of it was verified. @throws as `get`, ValueError where the blob has no such offset. */
  async read(hash: string, offset: number, length: number): Promise<Uint8Array> {
    const entry = await this.#mustHave(hash)
    if (offset > entry.bytes)
      throw new ValueError(`the blob ${hash} has ${entry.bytes} bytes: none can be read from ${offset} on`)
    await this.#verified(hash, entry)
    const bytes = new Uint8Array(Math.min(length, entry.bytes - offset))
    await this.#reading(hash, entry, async (file) => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, offset + done)
        if (bytesRead === 0) throw await this.#corrupt(hash, entry, 'its file is too short')
        done += bytesRead
      }
    })
    return bytes
  }

  /**
   * Says that pieces of a blob will come, and answers how many bytes are there: all where it is there, some where it broke off earlier.
   * @throws StorageFullError where there is no room for the rest.
   */
  begin(hash: string, bytes: number): Promise<number> {
    return this.#turns.take(hash, async () => {
      const entry = await this.#used(hash)
      if (entry) return entry.bytes
      let part = this.#held.parts.get(hash)
      // Another blob can never have been meant: somebody was wrong about the length.
      if (part && part.bytes > bytes) await this.#held.removePart(hash)
      // The process may have died before it could tell that this was the last piece.
      else if (part && part.bytes === bytes && (await this.#complete(hash, part))) return bytes
      part = this.#held.parts.get(hash)
      const there = part?.bytes ?? 0
      await this.#held.makeRoom(bytes - there)
      return there
    })
  }

  /**
   * Puts a piece behind what is there; where it begins elsewhere, nothing. Answers how many bytes are there now: go on from there. The last piece
   * makes the blob.
   * @throws CorruptBlobError where the pieces make another blob: none is there any more. StorageFullError: what was there is there still.
   * ValueError where the piece is longer than the rest of the blob.
   */
  append({ hash, bytes, offset, piece }: BlobPiece): Promise<number> {
    return this.#turns.take(hash, async () => {
      const entry = await this.#used(hash)
      if (entry) return entry.bytes
      const { folder, disk, now } = this.#options
      const path = partPathOf(folder, hash)
      const part = this.#held.parts.get(hash) ?? new Part(path, 0, now())
      if (offset !== part.bytes) return part.bytes
      if (offset + piece.length > bytes)
        throw new ValueError(
          `a piece of ${piece.length} bytes from ${offset} on is longer than the rest of the blob ${hash}, which has ${bytes} bytes`,
        )
      if (piece.length > 0) {
        await this.#held.write(piece.length, async () => {
          await makeShelf(path)
          this.#held.parts.set(hash, part)
          await part.append(piece, disk)
        })
        part.usedAt = now()
      }
      if (part.bytes < bytes) return part.bytes
      if (await this.#complete(hash, part)) return bytes
      throw new CorruptBlobError(
        `${bytes} bytes came as the blob ${hash}, and have another hash: they were dropped. Fetch it again, from another node`,
      )
    })
  }

  /** Ends it, when all that is being written is. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turns.idle()
    await this.#keeps[Symbol.asyncDispose]()
  }

  async #mustHave(hash: string): Promise<Entry> {
    const entry = await this.#used(hash)
    if (!entry) throw new NotFoundError(`the blob ${hash} is not on this node`)
    return entry
  }

  /** The entry of a blob that is used now; undefined where it is not there. */
  async #used(hash: string): Promise<Entry | undefined> {
    const entry = this.#held.entries.get(hash)
    if (!entry) return undefined
    const now = this.#options.now()
    const stale = now - entry.usedAt >= minute
    entry.usedAt = now
    // For the next start, to the minute. That the file is gone is found out when it is read.
    if (stale) await utimes(pathOf(this.#options.folder, hash), now / 1000, now / 1000).catch(() => {})
    return entry
  }

  /** Makes the blob of all its pieces, and answers whether it has its hash. Else nothing of it is there any more. */
  async #complete(hash: string, part: Part): Promise<boolean> {
    const { folder, disk } = this.#options
    if ((await part.hash()) !== hash) {
      await this.#held.removePart(hash)
      return false
    }
    const path = pathOf(folder, hash)
    await makeShelf(path)
    await part.flush(disk)
    await rename(part.path, path)
    this.#held.parts.delete(hash)
    this.#held.enter(hash, part.bytes)
    return true
  }

  async #verified(hash: string, entry: Entry): Promise<void> {
    const { now } = this.#options
    if (!entry.verified || now() - entry.verified.at >= verifiedForMs) {
      const done = this.#checked(hash, entry)
      const verified = { at: now(), done }
      entry.verified = verified
      done.catch(() => {
        if (entry.verified === verified) entry.verified = undefined
      })
    }
    await entry.verified.done
  }

  /** Reads all of a blob, and keeps it where there is space for it. @throws CorruptBlobError. */
  async #checked(hash: string, entry: Entry, into?: Uint8Array): Promise<void> {
    const digest = beginHash()
    const read = await this.#reading(hash, entry, (file) => hashFile(file, entry.bytes, digest, into))
    if (read < entry.bytes) throw await this.#corrupt(hash, entry, 'its file is too short')
    if (digest.digest('hex') !== hash) throw await this.#corrupt(hash, entry, 'its file has changed')
  }

  async #reading<T>(hash: string, entry: Entry, read: (file: FileHandle) => Promise<T>): Promise<T> {
    try {
      const file = await open(pathOf(this.#options.folder, hash), constants.O_RDONLY)
      try {
        return await read(file)
      } finally {
        await file.close()
      }
    } catch (error) {
      if (isLost(error)) throw await this.#corrupt(hash, entry, `its file cannot be read: ${String(error)}`)
      throw error
    }
  }

  /** Drops a blob that is not what it should be. The error says so, or that it went to make room meanwhile. */
  async #corrupt(hash: string, entry: Entry, why: string): Promise<CorruptBlobError | NotFoundError> {
    if (!(await this.#held.removeDamaged(hash, entry)))
      return new NotFoundError(`the blob ${hash} is not on this node any more`)
    this.#options.log(`the blob ${hash} was damaged on the disk of this node and is removed: ${why}`)
    return new CorruptBlobError(
      `the blob ${hash} was damaged on this node, ${why}: fetch it again, from another node`,
    )
  }
}
