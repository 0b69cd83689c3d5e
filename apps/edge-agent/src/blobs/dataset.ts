// A dataset as a task sees it: files by name, whose shards come when they are read. Needs nothing of the platform that it runs on.
import { NotFoundError } from '@shoal/core'
import type { ByteFile } from '@shoal/data'
import type { DatasetManifest } from '../jobs/spec.ts'
import { DatasetError } from './errors.ts'

/** A file of a dataset. */
export interface DatasetEntry {
  /** Relative, with forward slashes: 'train/images.gz'. */
  readonly path: string
  readonly bytes: number
}

type DatasetFile = DatasetManifest['files'][number]

/** Answers the bytes of a shard, verified. */
export type GetShard = (hash: string) => Promise<Uint8Array>

/** Files, read from shards. */
export class ShardedDataset {
  /** What is there, in the order of the manifest. */
  readonly files: readonly DatasetEntry[]
  readonly #byPath: ReadonlyMap<string, DatasetFile>
  readonly #getShard: GetShard

  /** @throws DatasetError for a manifest that contradicts itself. */
  constructor(manifest: DatasetManifest, getShard: GetShard) {
    this.files = manifest.files.map(({ path, bytes }) => ({ path, bytes }))
    this.#byPath = new Map(manifest.files.map((file) => [file.path, file]))
    this.#getShard = getShard
    if (this.#byPath.size < this.files.length) throw new DatasetError('a dataset has two files of one name')
    for (const { path, bytes, shards } of manifest.files) {
      const sum = shards.reduce((total, shard) => total + shard.bytes, 0)
      if (sum !== bytes)
        throw new DatasetError(`'${path}' of a dataset has ${bytes} bytes, but its shards have ${sum}`)
    }
  }

  /** A file that the readers of @shoal/data take, as often as wanted: `readIdx(dataset.file('images.gz'))`. @throws NotFoundError. */
  file(path: string): ByteFile {
    const file = this.#found(path)
    return { name: path, open: () => this.#shards(file) }
  }

  /** The bytes of a file as they come, shard by shard; the next one is on its way while one is used. @throws NotFoundError, DatasetError. */
  stream(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    return this.#shards(this.#found(path))
  }

  /** All of a file. @throws NotFoundError, DatasetError. */
  async read(path: string): Promise<Uint8Array> {
    const file = this.#found(path)
    const bytes = new Uint8Array(file.bytes)
    let filled = 0
    for await (const shard of this.#shards(file)) {
      bytes.set(shard, filled)
      filled += shard.length
    }
    return bytes
  }

  #found(path: string): DatasetFile {
    const file = this.#byPath.get(path)
    if (file) return file
    const [some, more] = [this.files.slice(0, 5).map((each) => `'${each.path}'`), this.files.length - 5]
    throw new NotFoundError(
      `the dataset has no file '${path}'; it has ${some.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
    )
  }

  async *#shards({ path, shards }: DatasetFile): AsyncGenerator<Uint8Array, void, undefined> {
    let coming = shards[0] && this.#getShard(shards[0].hash)
    for (let i = 0; i < shards.length; i++) {
      const bytes = await coming!
      const next = shards[i + 1]
      coming = next && this.#getShard(next.hash)
      // Told when it is this one's turn, if it ever is.
      coming?.catch(() => {})
      const { bytes: wanted, hash } = shards[i]!
      if (bytes.length !== wanted)
        throw new DatasetError(
          `shard ${i} of '${path}' has ${bytes.length} bytes, but the manifest of the dataset says ${wanted}: ${hash}`,
        )
      yield bytes
    }
  }
}

/** Opens a dataset by its manifest. @throws DatasetError for a manifest that contradicts itself. */
export const openDataset = (manifest: DatasetManifest, getShard: GetShard): ShardedDataset =>
  new ShardedDataset(manifest, getShard)
