// Which checkpoints a directory has: the index says it quickly, but the files have the last word.
import { open, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFile } from '@shoal/data/node'
import { CheckpointError } from './errors.ts'
import type { SafetensorsHeader } from './safetensorsHeader.ts'
import { headerLength, parseHeader, prefixBytes } from './safetensorsHeader.ts'

/** What the index keeps of a checkpoint; its file holds the same. */
export interface CheckpointEntry {
  readonly step: number
  readonly file: string
  readonly bytes: number
  readonly metrics: Readonly<Record<string, number>>
}

/** The name of the index. */
export const indexName = 'checkpoints.json'
/** The name of the file for a step. */
export const fileName = (step: number): string => `checkpoint-${step}.safetensors`
const stepOf = (name: string): number | undefined => {
  const digits = /^checkpoint-(\d{1,15})\.safetensors$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
/** A file that was being written when its program ended. */
export const isDraft = (name: string): boolean =>
  /^(checkpoint-\d+\.safetensors|checkpoints\.json)\.[0-9a-f]+\.part$/.test(name)

// JSON lacks NaN and infinities: they are kept as texts.
const jsonNumbers = (_: string, x: unknown): unknown =>
  typeof x === 'number' && !Number.isFinite(x) ? String(x) : x

/** What a checkpoint says of itself, as its file keeps it. */
export const metadataOf = (
  step: number,
  metrics: Readonly<Record<string, number>>,
): Record<string, string> => ({
  step: String(step),
  metrics: JSON.stringify(metrics, jsonNumbers),
})

/** The metrics in a file or an index; what is none is left out. */
function metricsFrom(value: unknown): Record<string, number> {
  if (typeof value !== 'object' || value === null) return {}
  const known = Object.entries(value).filter(([, x]) => typeof x === 'number' || typeof x === 'string')
  return Object.fromEntries(known.map(([name, x]) => [name, Number(x)]))
}

/**
 * The checkpoints of a directory, oldest step first. The index saves opening files; what it does not know, or knows with another size, is
 * read from the files themselves, so that a lost, torn or outdated index does no harm.
 * @param skip told about files that are damaged, which are left out.
 */
export async function listCheckpoints(
  directory: string,
  skip: (message: string) => void,
): Promise<CheckpointEntry[]> {
  const names = (await unlessGone(readdir(directory))) ?? []
  const known = new Map((await readIndex(directory)).map((entry) => [entry.file, entry]))
  const entries: CheckpointEntry[] = []
  for (const file of names.filter((name) => stepOf(name) !== undefined)) {
    try {
      const entry = await unlessGone(entryOf(directory, file, known.get(file)))
      if (entry) entries.push(entry)
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
      skip(`${file} is passed over: ${error.message}`)
    }
  }
  return entries.sort((a, b) => a.step - b.step)
}

/** Writes the index anew. */
export async function writeIndex(
  directory: string,
  checkpoints: readonly CheckpointEntry[],
  best: CheckpointEntry | undefined,
): Promise<void> {
  const index = { version: 1, newest: checkpoints.at(-1)?.file, best: best?.file, checkpoints }
  await writeFile(join(directory, indexName), `${JSON.stringify(index, jsonNumbers, 2)}\n`)
}

async function readIndex(directory: string): Promise<CheckpointEntry[]> {
  try {
    const { checkpoints } = JSON.parse(await readFile(join(directory, indexName), 'utf8')) as {
      checkpoints: unknown
    }
    return Array.isArray(checkpoints) ? checkpoints.flatMap(entryFrom) : []
  } catch {
    // Lost or torn: everything in it stands in the files too.
    return []
  }
}

function entryFrom(value: unknown): CheckpointEntry[] {
  const { file, bytes, metrics } = (value ?? {}) as Record<string, unknown>
  const step = typeof file === 'string' ? stepOf(file) : undefined
  if (step === undefined || typeof bytes !== 'number') return []
  return [{ step, file: file as string, bytes, metrics: metricsFrom(metrics) }]
}

async function entryOf(
  directory: string,
  file: string,
  known: CheckpointEntry | undefined,
): Promise<CheckpointEntry> {
  const { size } = await stat(join(directory, file))
  return known?.bytes === size ? known : readEntry(directory, file, size)
}

async function readEntry(directory: string, file: string, bytes: number): Promise<CheckpointEntry> {
  const { metadata } = await readHeader(join(directory, file), bytes)
  let metrics: unknown
  try {
    metrics = JSON.parse(metadata['metrics'] ?? '{}')
  } catch (cause) {
    throw new CheckpointError('its metrics are not JSON', { cause })
  }
  return { step: stepOf(file)!, file, bytes, metrics: metricsFrom(metrics) }
}

/** The header of a file, without its data. @throws CheckpointError when it is damaged or the file has another size than it says. */
async function readHeader(path: string, size: number): Promise<SafetensorsHeader> {
  const handle = await open(path)
  try {
    const read = async (length: number, position: number): Promise<Uint8Array> => {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    }
    const length = headerLength(await read(prefixBytes, 0))
    if (prefixBytes + length > size)
      throw new CheckpointError(`truncated: ${size} bytes do not hold its header`)
    const header = parseHeader(await read(length, prefixBytes))
    const expected = prefixBytes + length + header.dataBytes
    if (expected !== size)
      throw new CheckpointError(`truncated: it should have ${expected} bytes and has ${size}`)
    return header
  } finally {
    await handle.close()
  }
}

/** What is found, or undefined when the file or directory is not there: a writer may remove files while others read. */
export async function unlessGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
