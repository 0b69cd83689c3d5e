// For Node: what was measured of a machine, kept in a file, so that later processes start with it.
import { checkOptions, optionRules, sayValue, ValueError } from '@shoal/core'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { cpus, homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { isTuning, measureTuning, type Tuning } from './gemm/tuning.ts'

/** What a file holds: measurements, and the machine and engine that they are true of. */
interface Stored {
  readonly machine: string
  readonly tuning: Tuning
}

/** Where measurements are kept by default: `shoal/tuning.json` in the user's folder for caches. */
const usualFile = (): string =>
  join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'shoal', 'tuning.json')

/** How `storedTuning` tells of what it does without. */
export interface StoredTuningOptions {
  /** Where a line goes that says that, and why, measurements could not be stored. Default: nowhere. */
  readonly log?: (line: string) => void
}

/**
 * What register blocks of matrix products cost on this machine, for `cpu({ tuning })`, kept from process to process:
 *
 * - A file that holds measurements of this machine (processor model and architecture) and this version of the engine is read, and that is all.
 * - Otherwise (no file, another machine or engine, something else in it) the machine is measured, which takes some 10 ms of computing, and the file
 *   written whole, with the folders that it needs. Nothing is stored where the machine was too busy to be measured.
 * - Where it cannot be written (a system that is read only, no right to) the measurements are answered all the same, `log` is told, and the next
 *   process measures again.
 * @param file default: `shoal/tuning.json` in `$XDG_CACHE_HOME`, or in `~/.cache`
 * @throws ValueError for a file that is no name, and for options that there are not
 */
export async function storedTuning(
  file: string = usualFile(),
  options: StoredTuningOptions = {},
): Promise<Tuning> {
  if (!optionRules.text.accepts(file))
    throw new ValueError(`storedTuning: file must be the name of a file, got ${sayValue(file)}`)
  checkOptions('storedTuning', options, { log: optionRules.function })
  const machine = [process.arch, cpus()[0]?.model ?? '', process.versions.v8].join(' ')
  const stored = await read(file)
  if (stored?.machine === machine) return stored.tuning
  const tuning = measureTuning()
  // Nothing was measured on a machine that was too busy: another process may find it idle.
  if (Object.keys(tuning).length > 0)
    await write(file, { machine, tuning }).catch((error: Error) =>
      options.log?.(`measurements of this machine could not be stored in ${file} (${error.message})`),
    )
  return tuning
}

async function read(file: string): Promise<Stored | undefined> {
  try {
    const stored = JSON.parse(await readFile(file, 'utf8')) as Partial<Stored> | null
    return typeof stored?.machine === 'string' && isTuning(stored.tuning)
      ? { machine: stored.machine, tuning: stored.tuning }
      : undefined
  } catch {
    return undefined
  }
}

/** Whole or not at all, as other processes may read meanwhile. */
async function write(file: string, stored: Stored): Promise<void> {
  const draft = `${file}.${process.pid}`
  await makeFolder(dirname(file))
  await writeFile(draft, JSON.stringify(stored))
  await rename(draft, file)
}

/**
 * Makes a folder and those that it is in. Node's own way to do so never ends where a folder that is there takes no new ones and says
 * ENOENT, as /proc does.
 */
async function makeFolder(folder: string): Promise<void> {
  if (await isMade(folder)) return
  await makeFolder(dirname(folder))
  await mkdir(folder).catch(unlessThere)
}

/** Makes a folder in one that is there; false where that is not. */
async function isMade(folder: string): Promise<boolean> {
  try {
    await mkdir(folder).catch(unlessThere)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) throw error
    return false
  }
}

/** Another process may have been faster. */
function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
