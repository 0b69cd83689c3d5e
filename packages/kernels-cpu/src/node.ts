// For Node: what was measured of a machine, kept in a file, so that later processes start with it.
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

/**
 * What register blocks of matrix products cost on this machine, for `cpu({ tuning })`: read from a file, or measured (some 10 ms) and
 * written there, when there is no file, or one of another machine or engine. A file that cannot be written is done without.
 * @param file default: `shoal/tuning.json` in `$XDG_CACHE_HOME`, or in `~/.cache`
 */
export async function storedTuning(file: string = usualFile()): Promise<Tuning> {
  const machine = [process.arch, cpus()[0]?.model ?? '', process.versions.v8].join(' ')
  const stored = await read(file)
  if (stored?.machine === machine) return stored.tuning
  const tuning = measureTuning()
  // Nothing was measured on a machine that was too busy: another process may find it idle.
  if (Object.keys(tuning).length > 0) await write(file, { machine, tuning })
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
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(draft, JSON.stringify(stored))
    await rename(draft, file)
  } catch {
    // Measuring again next time costs milliseconds.
  }
}
