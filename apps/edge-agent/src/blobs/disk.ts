// What is wanted of a disk: bytes written whole, and honest words when it is full. Tests hand over one that is full when they say so.
import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises'
import { StorageFullError } from './errors.ts'

/** A disk, as far as writing goes. */
export interface Disk {
  /** Bytes of the file system of a folder that this user may still take. */
  free(folder: string): Promise<number>
  /** Writes all of the bytes at a position of a file. */
  write(file: FileHandle, bytes: Uint8Array, position: number): Promise<void>
  /** Settles when what was written to a file survives a loss of power. */
  flush(file: FileHandle): Promise<void>
}

/** The disk of this machine. */
export const systemDisk: Disk = {
  async free(folder) {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  },
  async write(file, bytes, position) {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
      done += bytesWritten
    }
  },
  flush: (file) => file.datasync(),
}

/** The code that the system gave an error: 'ENOENT'. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** The error of a write, as a StorageFullError where it says that the disk, or what this user may take of it, is full. */
export async function asStorageFull(
  error: unknown,
  to: { readonly disk: Disk; readonly folder: string; readonly neededBytes: number },
): Promise<unknown> {
  const { disk, folder, neededBytes } = to
  if (codeOf(error) !== 'ENOSPC' && codeOf(error) !== 'EDQUOT') return error
  const freeBytes = await disk.free(folder)
  return new StorageFullError(
    `the disk of ${folder} was full when ${neededBytes} bytes were to be written, ${freeBytes} are free: remove files from it`,
    { neededBytes, freeBytes, cause: error },
  )
}

/** Writes a file so that it is there whole or not at all: under the name `draft` first, flushed to the disk, then renamed. */
export async function writeWhole(
  path: string,
  bytes: Uint8Array,
  { draft, disk }: { readonly draft: string; readonly disk: Disk },
): Promise<void> {
  try {
    const file = await open(draft, 'w', 0o600)
    try {
      await disk.write(file, bytes, 0)
      await disk.flush(file)
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
