// A dataset inside a task: files by their paths, whose shards come from the agent when they are read.
import { NotFoundError } from '@shoal/core'
import type { ByteFile } from '@shoal/data'
import type { DatasetManifest } from '../jobs/spec.ts'

/** Gives the bytes of a shard. */
export type GetBlob = (hash: string) => Promise<Uint8Array>

/** The files of a dataset. */
export interface TaskDataset {
  /** Their paths. */
  readonly files: readonly string[]
  /** A file for the readers of `@shoal/data`, which take it shard by shard. @throws NotFoundError naming the files that there are */
  file(path: string): ByteFile
}

/** The dataset of a manifest. */
export function openDataset({ files }: DatasetManifest, getBlob: GetBlob): TaskDataset {
  return {
    files: files.map(({ path }) => path),
    file(path) {
      const found = files.find((one) => one.path === path)
      if (found) return { name: path, open: () => shardsOf(found.shards, getBlob) }
      const known = files.map((one) => one.path).join(', ')
      throw new NotFoundError(`the dataset has no file '${path}': it has ${known || 'none'}`)
    },
  }
}

async function* shardsOf(
  shards: DatasetManifest['files'][number]['shards'],
  getBlob: GetBlob,
): AsyncGenerator<Uint8Array, void, void> {
  for (const { hash } of shards) yield await getBlob(hash)
}
