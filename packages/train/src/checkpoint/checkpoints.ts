// Checkpoints in a directory: one safetensors file each, there whole or not at all, and an index that may be lost.
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session, Variable } from '@shoal/core'
import { ValueError } from '@shoal/core'
import { writeFile } from '@shoal/data/node'
import type { CheckpointEntry } from './catalogue.ts'
import { fileName, isDraft, listCheckpoints, metadataOf, unlessGone, writeIndex } from './catalogue.ts'
import { CheckpointError } from './errors.ts'
import type { Safetensors } from './safetensors.ts'
import { decodeSafetensors, safetensorsParts } from './safetensors.ts'
import type { CheckpointFacts, Restored, RestoreOptions, Saver, Which } from './saver.ts'
import { readVariables, writeVariables } from './values.ts'

/** What is kept. */
export interface CheckpointsOptions {
  /** How many of the newest are kept; default 5. */
  readonly keep?: number
  /** Keeps the best besides: the one with the least (`min`) or greatest (`max`) value of a metric. */
  readonly keepBest?: { readonly metric: string; readonly mode: 'min' | 'max' }
  /** Told, once, of each damaged checkpoint that is passed over. Default: nobody. */
  readonly log?: (message: string) => void
}

/**
 * The checkpoints of one directory. One program at a time may write to it; any number may read.
 * Each file is written under another name, flushed to the disk and renamed, so that a crash at any moment leaves whole checkpoints.
 */
export class Checkpoints implements Saver {
  readonly directory: string
  readonly #keep: number
  readonly #best: CheckpointsOptions['keepBest']
  readonly #log: (message: string) => void
  readonly #told = new Set<string>()

  /** @throws ValueError for a `keep` below 1. */
  constructor(directory: string, { keep = 5, keepBest, log = () => undefined }: CheckpointsOptions = {}) {
    if (!Number.isInteger(keep) || keep < 1)
      throw new ValueError(`keep is ${keep}; it must be a whole number from 1`)
    this.directory = directory
    this.#keep = keep
    this.#best = keepBest
    this.#log = log
  }

  /** What is there, oldest step first. Damaged files are passed over, and the log is told of each once. */
  list(): Promise<CheckpointEntry[]> {
    return listCheckpoints(this.directory, this.#tell)
  }

  /** @see Saver.latest */
  async latest(): Promise<number | undefined> {
    return (await this.list()).at(-1)?.step
  }

  /**
   * Saves the values that variables have now; then removes checkpoints that are no longer kept. A checkpoint of the same step is replaced.
   * @returns the path of the file.
   * @throws UninitializedError when a variable has no value; ValueError for a step that is no whole number; what `confirm` throws; errors of the file system, after which all is as it was.
   */
  async save(
    session: Session,
    variables: readonly Variable[],
    { step, metrics = {}, confirm }: CheckpointFacts,
  ): Promise<string> {
    if (!Number.isSafeInteger(step) || step < 0 || step >= 1e15)
      throw new ValueError(`step ${step} is no whole number from 0 to 1e15`)
    const parts = safetensorsParts(await readVariables(session, variables), metadataOf(step, metrics))
    const file = fileName(step)
    const path = join(this.directory, file)
    await mkdir(this.directory, { recursive: true })
    await writeFile(path, confirm ? confirmed(parts, confirm) : parts)
    await flushDirectory(this.directory)
    const bytes = parts.reduce((sum, part) => sum + part.length, 0)
    const others = (await this.list()).filter((entry) => entry.file !== file)
    await this.#prune([...others, { step, file, bytes, metrics }].sort((a, b) => a.step - b.step))
    return path
  }

  /**
   * Gives variables the values of a checkpoint, found by name; all of them or, when something does not fit, none. When the one asked for as
   * `latest` or `best` turns out to be damaged, the next one is taken, and the log is told.
   * @throws CheckpointError when there is none, when the one of a step is damaged, or naming the file, all that is missing or of another shape or dtype, and what is in the file; what `confirm` throws.
   */
  async restore(
    session: Session,
    variables: readonly Variable[],
    { which = 'latest', allowMissing = false, confirm }: RestoreOptions = {},
  ): Promise<Restored & { readonly path: string }> {
    const damaged: string[] = []
    const candidates = this.#inOrder(
      which,
      await listCheckpoints(this.directory, (message) => damaged.push(message)),
    )
    damaged.forEach(this.#tell)
    for (const { file, step, metrics } of candidates) {
      const path = join(this.directory, file)
      const content = await readCheckpoint(path).catch((error: unknown) => {
        if (!(error instanceof CheckpointError)) throw error
        damaged.push(`${file} is passed over: ${error.message}`)
        this.#tell(damaged.at(-1)!)
      })
      if (!content) continue
      await confirm?.()
      const missing = await writeVariables(session, variables, content.tensors, {
        allowMissing,
        source: path,
      })
      return { step, metrics, missing, path }
    }
    const wanted = typeof which === 'number' ? `checkpoint of step ${which}` : 'checkpoint'
    throw new CheckpointError([`no ${wanted} in ${this.directory} can be restored`, ...damaged].join('; '))
  }

  /** Says a thing once, however often the directory is looked at. */
  readonly #tell = (message: string): void => {
    if (!this.#told.has(message)) this.#log(message)
    this.#told.add(message)
  }

  /** The best of some checkpoints; those that lack the metric, or have NaN, do not count. */
  #ranked(entries: readonly CheckpointEntry[]): CheckpointEntry[] {
    const best = this.#best
    if (!best) return []
    const sign = best.mode === 'min' ? 1 : -1
    const value = (entry: CheckpointEntry): number => sign * (entry.metrics[best.metric] ?? Number.NaN)
    // Of equals the newer one is better: it has seen more.
    return entries
      .filter((entry) => !Number.isNaN(value(entry)))
      .sort((a, b) => compare(value(a), value(b)) || b.step - a.step)
  }

  #inOrder(which: Which, entries: readonly CheckpointEntry[]): readonly CheckpointEntry[] {
    if (which === 'latest') return entries.toReversed()
    if (which !== 'best') return entries.filter((entry) => entry.step === which)
    if (!this.#best) throw new ValueError("the best checkpoint is known only with the option 'keepBest'")
    return this.#ranked(entries)
  }

  async #prune(entries: readonly CheckpointEntry[]): Promise<void> {
    const [best] = this.#ranked(entries)
    const kept = entries.filter((entry, i) => entry === best || i >= entries.length - this.#keep)
    // The index first: whoever follows it never finds a file gone.
    await writeIndex(this.directory, kept, best)
    const drafts = (await readdir(this.directory)).filter(isDraft)
    const gone = entries.filter((entry) => !kept.includes(entry)).map((entry) => entry.file)
    for (const file of [...drafts, ...gone]) await rm(join(this.directory, file), { force: true })
    await flushDirectory(this.directory)
  }
}

/** The content of a checkpoint file. @throws CheckpointError when it is damaged or not there. */
export async function readCheckpoint(path: string): Promise<Safetensors> {
  const bytes = await unlessGone(readFile(path))
  if (!bytes) throw new CheckpointError(`${path} is not there`)
  return decodeSafetensors(bytes)
}

/** Some parts of a file; the one who asks for more learns whether they are still wanted. */
async function* confirmed(
  parts: Iterable<Uint8Array>,
  confirm: () => Promise<void>,
): AsyncGenerator<Uint8Array, void, void> {
  yield* parts
  await confirm()
}

const compare = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)

/** Makes renames last: they are entries of the directory, which is flushed like a file. */
async function flushDirectory(directory: string): Promise<void> {
  // Windows does not open directories; it makes renames last by itself.
  if (process.platform === 'win32') return
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
