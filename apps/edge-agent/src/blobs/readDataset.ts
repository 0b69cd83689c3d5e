// Files of this machine made into a dataset: cut into shards, each named by its content, so that nodes fetch once what they have not.
import { type FileHandle, lstat, open, readdir, realpath, stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { datasetSchema, type DatasetManifest } from '../jobs/spec.ts'
import { codeOf } from './disk.ts'
import { DatasetError } from './errors.ts'

/** How files are read. */
export interface ReadDatasetOptions {
  /** Takes the bytes of a shard, which are its own to keep, and answers their hash. The next one is read when it has. */
  readonly put: (shard: Uint8Array) => Promise<string>
  /** The most bytes of a shard. Default 4 MiB. */
  readonly shardBytes?: number
  readonly signal?: AbortSignal | undefined
}

type DatasetFile = DatasetManifest['files'][number]

/**
 * Reads a file, or all files of a folder and of the folders in it, by their names in order: the same files make the same manifest. No more than one
 * shard is in memory. Symbolic links are followed where they lead to something within the folder.
 * @throws DatasetError where there is nothing to read, a link leads out of the folder or round in a circle, something is neither file nor folder, or a
 * name cannot be told to others; what `put` throws; the reason of the signal.
 */
export async function readDataset(path: string, options: ReadDatasetOptions): Promise<DatasetManifest> {
  const { put, shardBytes = 2 ** 22, signal } = options
  const root = await resolved(path)
  const isFolder = (await stat(root)).isDirectory()
  const found = isFolder ? filesBelow({ path: root, real: root }, root, []) : [{ path: root, real: root }]
  const files: DatasetFile[] = []
  for await (const { path: file, real } of found) {
    const name = isFolder ? relative(root, file).split(sep).join('/') : basename(path)
    files.push({ path: name, ...(await shardsOf(real, { put, shardBytes, signal })) })
  }
  if (files.length === 0) throw new DatasetError(`there are no files in ${path}`)
  const manifest = datasetSchema.safeParse({ files })
  if (!manifest.success)
    throw new DatasetError(`${path} has a file whose name is too long to be told to others`)
  return manifest.data
}

async function resolved(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (cause) {
    if (codeOf(cause) === 'ELOOP') throw new DatasetError(`${path} is a link that leads to itself`, { cause })
    if (codeOf(cause) !== 'ENOENT') throw cause
    throw new DatasetError(`${path} is not there`, { cause })
  }
}

/** Something in the folder: by which name, and where it lies. */
interface Place {
  readonly path: string
  readonly real: string
}

async function* filesBelow(
  folder: Place,
  root: string,
  within: readonly string[],
): AsyncGenerator<Place, void, undefined> {
  if (within.includes(folder.real))
    throw new DatasetError(`${folder.path} is a link to a folder that it lies in: it would be read for ever`)
  for (const name of (await readdir(folder.real)).toSorted()) {
    const path = join(folder.path, name)
    const real = await placeOf(path, join(folder.real, name), root)
    const kind = await stat(real)
    if (kind.isDirectory()) yield* filesBelow({ path, real }, root, [...within, folder.real])
    else if (kind.isFile()) yield { path, real }
    // To open a pipe would be to wait for ever for who writes to it.
    else throw new DatasetError(`${path} is neither a file nor a folder: take it out of the dataset`)
  }
}

/** Where something lies, links followed. @throws DatasetError where that is outside. */
async function placeOf(path: string, at: string, root: string): Promise<string> {
  if (!(await lstat(at)).isSymbolicLink()) return at
  const real = await resolved(at)
  if (real === root || real.startsWith(root + sep)) return real
  throw new DatasetError(
    `${path} is a link to ${real}, which is outside of the dataset: copy what is meant into it, or take the link out`,
  )
}

async function shardsOf(
  path: string,
  options: Required<Pick<ReadDatasetOptions, 'put' | 'shardBytes'>> & Pick<ReadDatasetOptions, 'signal'>,
): Promise<Pick<DatasetFile, 'bytes' | 'shards'>> {
  const { put, shardBytes, signal } = options
  const shards: DatasetFile['shards'] = []
  let bytes = 0
  const file = await open(path, 'r')
  try {
    for (;;) {
      signal?.throwIfAborted()
      const shard = await nextShard(file, bytes, shardBytes)
      if (shard.length === 0) return { bytes, shards }
      shards.push({ hash: await put(shard), bytes: shard.length })
      bytes += shard.length
    }
  } finally {
    await file.close()
  }
}

/** Bytes from a position on: as many as a shard has, fewer at the end of the file. */
async function nextShard(file: FileHandle, position: number, shardBytes: number): Promise<Uint8Array> {
  const left = Math.max(0, (await file.stat()).size - position)
  const shard = new Uint8Array(Math.min(shardBytes, left))
  let filled = 0
  while (filled < shard.length) {
    const { bytesRead } = await file.read(shard, filled, shard.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return shard.subarray(0, filled)
}
