// A lease in the folder of the checkpoints: each epoch is a file, which only one program can be the one to create.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lease, LeaseHolder } from './lease.ts'

const fileName = (epoch: number): string => `chief-${epoch}.lease`
const epochOf = (name: string): number => Number(/^chief-(\d{1,15})\.lease$/.exec(name)?.[1] ?? 0)

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code

/** A lease for all programs that see a directory, which is made when it is needed. It needs a file system that creates a file only once. */
export class DirectoryLease implements Lease {
  readonly directory: string
  constructor(directory: string) {
    this.directory = directory
  }

  /** @see Lease.claim @throws errors of the file system. */
  async claim(holder: string): Promise<number> {
    await mkdir(this.directory, { recursive: true })
    for (let least = 1; ; least++) {
      const last = await this.epochs()
      const epoch = Math.max(least, ...last.map((older) => older + 1))
      // Somebody else was quicker, even where a list of files is not yet told of it.
      least = epoch
      if (!(await this.create(epoch, holder))) continue
      // Between looking and creating others may have come further, and swept away what was lower.
      if (Math.max(...(await this.epochs())) > epoch) {
        await this.remove(epoch)
        continue
      }
      await Promise.all(last.map((older) => this.remove(older)))
      return epoch
    }
  }

  /** @see Lease.newest @throws errors of the file system. */
  async newest(): Promise<LeaseHolder> {
    for (;;) {
      const epoch = Math.max(0, ...(await this.epochs()))
      if (epoch === 0) return { epoch, holder: '' }
      try {
        return { epoch, holder: await readFile(join(this.directory, fileName(epoch)), 'utf8') }
      } catch (error) {
        // Swept away by the holder of the next epoch.
        if (codeOf(error) !== 'ENOENT') throw error
      }
    }
  }

  private async epochs(): Promise<readonly number[]> {
    try {
      return (await readdir(this.directory)).map(epochOf).filter((epoch) => epoch > 0)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  }

  private async create(epoch: number, holder: string): Promise<boolean> {
    try {
      await writeFile(join(this.directory, fileName(epoch)), holder, { flag: 'wx' })
      return true
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      throw error
    }
  }

  private remove(epoch: number): Promise<void> {
    return rm(join(this.directory, fileName(epoch)), { force: true })
  }
}
