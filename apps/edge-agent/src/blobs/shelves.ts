// How blobs lie in their folder: ab/cdef… is a whole one, ab/cdef….part the beginning of one, and what ends in .draft was never finished.
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { codeOf } from './disk.ts'

/** A file of the folder. */
export interface Shelved {
  readonly hash: string
  readonly whole: boolean
  readonly path: string
  readonly bytes: number
  /** When it was last used, in milliseconds since 1970. */
  readonly usedAt: number
}

const name = /^([0-9a-f]{62})(\.part)?$/

/** Where a blob lies. */
export const pathOf = (folder: string, hash: string): string => join(folder, hash.slice(0, 2), hash.slice(2))

/** Where the beginning of a blob lies. */
export const partPathOf = (folder: string, hash: string): string => `${pathOf(folder, hash)}.part`

/** Where a blob is written before it is whole. */
export const draftPathOf = (folder: string, hash: string): string => `${pathOf(folder, hash)}.draft`

/** Makes the folder of a path, for its owner alone. */
export async function makeShelf(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
}

/** All blobs of a folder, and beginnings of blobs. Drafts are removed. */
export async function shelved(folder: string): Promise<readonly Shelved[]> {
  const starts = (await readdir(folder)).filter((start) => /^[0-9a-f]{2}$/.test(start))
  const shelves = await Promise.all(starts.map((start) => ofShelf(folder, start)))
  return shelves.flat()
}

async function ofShelf(folder: string, start: string): Promise<readonly Shelved[]> {
  const shelf = join(folder, start)
  const found = await Promise.all(
    (await readdir(shelf)).map(async (file): Promise<Shelved | undefined> => {
      const path = join(shelf, file)
      const match = name.exec(file)
      if (match) {
        const { size, mtimeMs } = await stat(path)
        return { hash: start + match[1]!, whole: match[2] === undefined, path, bytes: size, usedAt: mtimeMs }
      }
      if (file.endsWith('.draft')) await rm(path, { force: true })
      return undefined
    }),
  )
  return found.filter((file) => file !== undefined)
}

/** Removes a file that may be gone already. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true })
}

/** Does the error say that the file is gone, or that its sectors cannot be read any more? */
export const isLost = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(error) === 'EIO'
