// This command as few plain files, for processes that stay: Node then neither strips types nor keeps what an agent never calls, a third of its memory.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'

/** What was made last, and of what: `made.json`. */
export const madeSchema = z.object({
  /** The module to run. */
  main: z.string(),
  /** Every file that went into it, and the stamp that it had. */
  inputs: z.record(z.string(), z.string()),
})
/** What was made last, and of what. */
export type Made = z.infer<typeof madeSchema>

/** Where files are kept that can be made again: `shoal` in `$XDG_CACHE_HOME`, or `~/.cache/shoal`. */
export const cacheFolder = ({ XDG_CACHE_HOME }: Readonly<Record<string, string | undefined>>): string =>
  join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'shoal')

/** What tells one state of a file from another without reading it; undefined where it is not there. */
export async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { mtimeMs, size } = await stat(path)
    return `${mtimeMs} ${size}`
  } catch {
    return undefined
  }
}

/**
 * The module to run in place of `main`, which does the same: made anew where any file has changed that the last one was made of.
 * @param main a module of this package, in TypeScript or JavaScript.
 * @param cache the folder that it is kept in.
 * @throws Error where it cannot be made: with what esbuild says, or why the folder cannot be written.
 */
export async function lightCommand(main: string, cache: string): Promise<string> {
  const flags = process.execArgv.filter((flag) => flag.startsWith('--conditions='))
  // Under other conditions it is made of other files.
  const key = createHash('sha256').update([main, ...flags].join('\0'))
  const folder = join(cache, key.digest('hex').slice(0, 16))
  const made = await lastMade(folder)
  if (made) return made.main
  const program = fileURLToPath(new URL(`./make${import.meta.url.slice(-3)}`, import.meta.url))
  // In a process of its own: the bundler's would stay behind, for what comes after is another program.
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program, main, folder])
  return stdout.trim()
}

/** What is there, if it is of the files as they are now. */
async function lastMade(folder: string): Promise<Made | undefined> {
  let made: Made
  try {
    made = madeSchema.parse(JSON.parse(await readFile(join(folder, 'made.json'), 'utf8')))
  } catch {
    // There is none, or another version has written it: it is made again.
    return undefined
  }
  if ((await stampOf(made.main)) === undefined) return undefined
  const stamps = await Promise.all(
    Object.entries(made.inputs).map(async ([path, stamp]) => (await stampOf(path)) === stamp),
  )
  return stamps.every(Boolean) ? made : undefined
}
