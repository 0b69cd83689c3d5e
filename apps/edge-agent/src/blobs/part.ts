// The beginning of a blob whose rest has not come yet. It stays when the process ends, so that what breaks off goes on where it was.
import type { Hash } from 'node:crypto'
import { constants, open } from 'node:fs/promises'
import type { Disk } from './disk.ts'
import { beginHash, hashFile } from './hashing.ts'
import { isLost } from './shelves.ts'

/** A file that grows at its end. One at a time may change it. */
export class Part {
  readonly path: string
  /** When it last grew, in milliseconds since 1970. */
  usedAt: number
  #there: number
  #hash: Hash | undefined

  constructor(path: string, there: number, usedAt: number) {
    this.path = path
    this.#there = there
    this.usedAt = usedAt
  }

  /** How many bytes are there. */
  get bytes(): number {
    return this.#there
  }

  /** Puts a piece behind what is there. Where that fails, it is as it was. */
  async append(piece: Uint8Array, disk: Disk): Promise<void> {
    const hash = await this.#hashed()
    const file = await open(this.path, constants.O_RDWR | constants.O_CREAT, 0o600)
    try {
      await disk.write(file, piece, this.#there)
      hash.update(piece)
      this.#there += piece.length
    } catch (error) {
      // Gives back what of the piece was written. Where even that fails, the next piece is written over it.
      await file.truncate(this.#there).catch(() => {})
      throw error
    } finally {
      await file.close()
    }
  }

  /** The hash of what is there. */
  async hash(): Promise<string> {
    return (await this.#hashed()).copy().digest('hex')
  }

  /** Settles when what is there survives a loss of power. */
  async flush(disk: Disk): Promise<void> {
    const file = await open(this.path, constants.O_RDWR | constants.O_CREAT, 0o600)
    try {
      await file.truncate(this.#there)
      await disk.flush(file)
    } finally {
      await file.close()
    }
  }

  /** What an earlier process left has to be read once. */
  async #hashed(): Promise<Hash> {
    if (this.#hash) return this.#hash
    const hash = beginHash()
    if (this.#there > 0) this.#there = await this.#readInto(hash)
    // What was read before bad sectors counts no more.
    this.#hash = this.#there > 0 ? hash : beginHash()
    return this.#hash
  }

  /** Answers how many bytes were read; none where the file is gone or its sectors are bad: then it begins anew. */
  async #readInto(hash: Hash): Promise<number> {
    try {
      const file = await open(this.path, 'r')
      try {
        return await hashFile(file, this.#there, hash)
      } finally {
        await file.close()
      }
    } catch (error) {
      if (isLost(error)) return 0
      throw error
    }
  }
}
