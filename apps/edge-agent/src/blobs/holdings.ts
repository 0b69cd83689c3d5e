// What lies in the folder of a store, and the room that it takes: whoever writes is given room first, and for that others may have to go.
import { asStorageFull, type Disk } from './disk.ts'
import { StorageFullError } from './errors.ts'
import type { Part } from './part.ts'
import { dropped } from './room.ts'
import { partPathOf, pathOf, removeFile } from './shelves.ts'
import { Turns } from './turns.ts'

/** Within which bounds. */
export interface HoldingsOptions {
  readonly folder: string
  readonly maxBytes: number
  readonly minFreeBytes: number
  readonly log: (line: string) => void
  readonly disk: Disk
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** A blob that is there. */
export interface Entry {
  readonly bytes: number
  /** Milliseconds since 1970. */
  usedAt: number
  /** When its file was last found to have its hash; shared by all that wait for that. */
  verified: { readonly at: number; readonly done: Promise<void> } | undefined
}

/** A beginning that has not grown for so long may go when room is needed. */
const idleMs = 600_000

/** Blobs and beginnings of blobs. */
export class Holdings {
  readonly entries = new Map<string, Entry>()
  readonly parts = new Map<string, Part>()
  readonly #options: HoldingsOptions
  /** Which blobs may not go: those that are kept. */
  readonly #isKept: (hash: string) => boolean
  /** Which beginnings may not go: those that are about to grow. */
  readonly #isBusy: (hash: string) => boolean
  /** One at a time makes room. Files of blobs are removed there and nowhere else, so that none goes that was just given room. */
  readonly #turns = new Turns()
  /** Bytes that were given room and are not there yet. */
  #underWay = 0

  constructor(
    options: HoldingsOptions,
    may: { readonly isKept: (hash: string) => boolean; readonly isBusy: (hash: string) => boolean },
  ) {
    this.#options = options
    this.#isKept = may.isKept
    this.#isBusy = may.isBusy
  }

  /** Bytes of everything. */
  get bytes(): number {
    let bytes = 0
    for (const { bytes: more } of this.entries.values()) bytes += more
    for (const { bytes: more } of this.parts.values()) bytes += more
    return bytes
  }

  /** A blob has come. */
  enter(hash: string, bytes: number): void {
    this.entries.set(hash, { bytes, usedAt: this.#options.now(), verified: undefined })
  }

  /** Drops a blob that is damaged; answers whether it was still there. */
  removeDamaged(hash: string, entry: Entry): Promise<boolean> {
    return this.#turns.take('', async () => {
      if (this.entries.get(hash) !== entry) return false
      this.entries.delete(hash)
      await removeFile(pathOf(this.#options.folder, hash))
      return true
    })
  }

  /** Drops what is there of a blob that is not whole. */
  async removePart(hash: string): Promise<void> {
    this.parts.delete(hash)
    await removeFile(partPathOf(this.#options.folder, hash))
  }

  /** Writes so many bytes once there is room for them. @throws StorageFullError. */
  async write(bytes: number, write: () => Promise<void>): Promise<void> {
    const { folder, disk } = this.#options
    await this.makeRoom(bytes, () => (this.#underWay += bytes))
    try {
      await write()
    } catch (error) {
      throw await asStorageFull(error, { disk, folder, neededBytes: bytes })
    } finally {
      this.#underWay -= bytes
    }
  }

  /** Drops what may be dropped until there is room for so many bytes, and then calls `given` at once. @throws StorageFullError. */
  makeRoom(bytes: number, given: () => void = () => {}): Promise<void> {
    const { folder, maxBytes, minFreeBytes, disk, log } = this.#options
    return this.#turns.take('', async () => {
      const free = (await disk.free(folder)) - minFreeBytes - this.#underWay
      const allowed = maxBytes - this.bytes - this.#underWay
      const droppable = this.#droppable()
      const victims = dropped(bytes - Math.min(free, allowed), droppable)
      if (!victims) {
        const more = droppable.reduce((sum, one) => sum + one.bytes, 0)
        throw free < allowed ? this.#diskFull(bytes, free + more) : this.#boundReached(bytes, allowed + more)
      }
      for (const { hash } of victims) {
        if (this.entries.delete(hash)) await removeFile(pathOf(folder, hash))
        else await this.removePart(hash)
      }
      if (victims.length > 0) log(`${victims.length} blobs were dropped to make room for ${bytes} bytes`)
      given()
    })
  }

  #droppable(): readonly { readonly hash: string; readonly bytes: number; readonly usedAt: number }[] {
    const idleSince = this.#options.now() - idleMs
    const blobs = [...this.entries].filter(([hash]) => !this.#isKept(hash))
    const parts = [...this.parts].filter(([hash, { usedAt }]) => usedAt <= idleSince && !this.#isBusy(hash))
    return [...blobs, ...parts].map(([hash, { bytes, usedAt }]) => ({ hash, bytes, usedAt }))
  }

  #diskFull(neededBytes: number, room: number): StorageFullError {
    const { folder, minFreeBytes } = this.#options
    const freeBytes = Math.max(0, room)
    return new StorageFullError(
      `there is no room for ${neededBytes} bytes: the disk of ${folder} has ${freeBytes} for them, ` +
        `if ${minFreeBytes} are to stay free for others. Remove files from it`,
      { neededBytes, freeBytes },
    )
  }

  #boundReached(neededBytes: number, room: number): StorageFullError {
    const freeBytes = Math.max(0, room)
    return new StorageFullError(
      `there is no room for ${neededBytes} bytes: blobs may take ${this.#options.maxBytes} bytes on this node, ` +
        `and all but ${freeBytes} are kept for jobs. Remove jobs, or allow more`,
      { neededBytes, freeBytes },
    )
  }
}
