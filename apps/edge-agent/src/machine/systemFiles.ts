// What Linux tells of a machine in small files, below /proc and /sys: read when asked, and silent where there is none.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The files of the kernel, below a root. They are made as they are read, in microseconds: less than it takes to hand the work to another thread.
 * What cannot be read (another system, a sensor that is asleep) is as good as not there.
 */
export class SystemFiles {
  readonly #root: string

  /** @param root where `proc` and `sys` are. Default '/'. */
  constructor(root = '/') {
    this.#root = root
  }

  /** What a file says, without the space around it and the zero that ends some. */
  text(path: string): string | undefined {
    try {
      return readFileSync(join(this.#root, path), 'latin1').replaceAll('\0', '').trim()
    } catch {
      return undefined
    }
  }

  /** The number that a file holds. */
  number(path: string): number | undefined {
    const text = this.text(path)
    return text && Number.isFinite(Number(text)) ? Number(text) : undefined
  }

  /** What is in a folder and has a name like that, as paths, in the order of their names; nothing where there is no folder. */
  paths(folder: string, name: RegExp): readonly string[] {
    try {
      const found = readdirSync(join(this.#root, folder)).filter((one) => name.test(one))
      return found.toSorted().map((one) => join(folder, one))
    } catch {
      return []
    }
  }
}
