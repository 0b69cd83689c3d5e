// The one folder in which a node keeps what it is: whoever can read it is the node, so nobody else may; what is written there is there whole or not at all.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { StateError } from './errors.ts'

/** How the names of files end that are still being written. */
const beside = '.new'

/** Where a node keeps itself where nobody says otherwise: `$SHOAL_HOME`, or `shoal` in `$XDG_STATE_HOME`, or `~/.local/state/shoal`. */
export function defaultStateFolder(environment: Readonly<Record<string, string | undefined>> = process.env) {
  const { SHOAL_HOME, XDG_STATE_HOME } = environment
  if (SHOAL_HOME) return resolve(SHOAL_HOME)
  return join(XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'shoal')
}

/** The folder of one node. Files in it can be read by its owner alone. */
export class StateFolder {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /**
   * Makes the folder where there is none, and closes it to all but its owner.
   * @throws StateError where it cannot be made, or is somebody else's.
   */
  static async open(path: string = defaultStateFolder()): Promise<StateFolder> {
    try {
      await mkdir(path, { recursive: true, mode: 0o700 })
      const { uid, mode } = await stat(path)
      if (process.getuid && process.getuid() !== uid)
        throw new StateError(
          `the folder ${path} belongs to another user (${uid}): run as that one, or name another folder in SHOAL_HOME`,
        )
      if ((mode & 0o077) !== 0) await chmod(path, 0o700)
      return new StateFolder(path)
    } catch (cause) {
      if (cause instanceof StateError) throw cause
      throw new StateError(`the folder ${path} cannot be used: ${(cause as Error).message}`, { cause })
    }
  }

  /** The folder where there is one already, which is closed to others; undefined where there is none. @throws as `open`. */
  static async existing(path: string): Promise<StateFolder | undefined> {
    return existsSync(path) ? StateFolder.open(path) : undefined
  }

  /** The names of the files in it. */
  async names(): Promise<readonly string[]> {
    return readdir(this.path)
  }

  /**
   * What a file of it says; undefined where there is none of that name.
   * @throws StateError for a file that is not what the schema describes: it is never taken for one that is not there.
   */
  async read<T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const path = join(this.path, name)
    let text
    try {
      text = await readFile(path, 'utf8')
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') return undefined
      throw new StateError(`${path} cannot be read: ${(cause as Error).message}`, { cause })
    }
    try {
      return schema.parse(JSON.parse(text))
    } catch (cause) {
      const why = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message
      throw new StateError(`${path} is damaged: restore it, or move it away to begin anew. ${why}`, { cause })
    }
  }

  /** Replaces a file, at once: after a crash it is the old one or the new one. @throws StateError where it cannot be written. */
  async write(name: string, value: unknown): Promise<void> {
    await this.#put(name, value, rename)
  }

  /** Makes a file where there is none of that name. Of several that try at once one succeeds. @throws StateError where it cannot be written. */
  async create(name: string, value: unknown): Promise<boolean> {
    try {
      await this.#put(name, value, link)
      return true
    } catch (error) {
      if (codeOf((error as StateError).cause) === 'EEXIST') return false
      throw error
    }
  }

  /** Writes beside, and then has `place` bring it to where it belongs. */
  async #put(
    name: string,
    value: unknown,
    place: (from: string, to: string) => Promise<void>,
  ): Promise<void> {
    const path = join(this.path, name)
    const unfinished = `${path}.${randomBytes(6).toString('hex')}${beside}`
    try {
      const file = await open(unfinished, 'wx', 0o600)
      try {
        await file.writeFile(JSON.stringify(value))
        await file.sync()
      } finally {
        await file.close()
      }
      await place(unfinished, path)
      await this.#sync()
    } catch (cause) {
      throw new StateError(`${path} cannot be written: ${(cause as Error).message}`, { cause })
    } finally {
      await rm(unfinished, { force: true })
    }
  }

  /** Has the folder itself written, in which the file's new name stands. */
  async #sync(): Promise<void> {
    const folder = await open(this.path, 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  }

  /** Removes what was being written when a process ended, where the name of the file was to be one that `concerns` names. */
  async sweep(concerns: (name: string) => boolean): Promise<void> {
    for (const name of await this.names())
      if (name.endsWith(beside) && concerns(name)) await this.remove(name)
  }

  /** Removes a file, where there is one. */
  async remove(name: string): Promise<void> {
    await rm(join(this.path, name), { force: true })
  }
}

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException | undefined)?.code
