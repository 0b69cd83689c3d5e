// Checkpoints that cannot be written, and checkpoints that were not written to their end.
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Checkpoints } from '@shoal/train/node'
import { expectThat } from '@shoal/example-parts'
import { atExit, command, whyNot } from '../command.ts'
import { type Fault, survive } from '../survive.ts'

/** A disk of its own that has room for some checkpoints. */
class SmallDisk implements AsyncDisposable {
  readonly folder: string
  private readonly forget: () => void
  private constructor(folder: string, forget: () => void) {
    this.folder = folder
    this.forget = forget
  }

  /** Mounts it. @throws Error where this process may not. */
  static async mount(): Promise<SmallDisk> {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-disk-'))
    try {
      await command('mount', '-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder)
    } catch (error) {
      await rm(folder, { recursive: true })
      throw error
    }
    return new SmallDisk(folder, atExit('umount', folder))
  }

  /** Takes all the room that is left. */
  async fill(): Promise<void> {
    const piece = new Uint8Array(4096)
    let full: unknown
    while (!full) await writeFile(this.filler, piece, { flag: 'a' }).catch((error: unknown) => (full = error))
    if ((full as NodeJS.ErrnoException).code !== 'ENOSPC') throw full
  }
  /** Gives it back. */
  async clear(): Promise<void> {
    await rm(this.filler)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await command('umount', this.folder)
    this.forget()
    await rm(this.folder, { recursive: true })
  }

  private get filler(): string {
    return join(this.folder, 'filler')
  }
}

/** The disk is full when checkpoints are due, and is not any more later. */
export const fullDisk: Fault = {
  name: 'fullDisk',
  about: 'the disk is full when checkpoints are due, and later there is room again',
  inShort: false,
  missing: () =>
    whyNot(async () => {
      await using _disk = await SmallDisk.mount()
    }),
  async run(scale) {
    await using disk = await SmallDisk.mount()
    await survive({
      scale,
      steps: scale.short ? 300 : 600,
      folder: disk.folder,
      async strike({ journal }) {
        await journal.reached(30)
        await disk.fill()
        journal.note(`the disk is full at step ${journal.step}`)
        const from = journal.entries.length
        await journal.heard('worker-0', /no checkpoint of step/, { from })
        const whole = await newestStep(disk.folder)
        // A second attempt leaves nothing behind either.
        await journal.heard('worker-0', /no checkpoint of step/, { from: journal.entries.length })
        expectThat(
          'what was saved before stays, and nothing half-written',
          (await newestStep(disk.folder)) === whole && (await drafts(disk.folder)) === 0,
          `the checkpoint of step ${whole}, ${await drafts(disk.folder)} drafts`,
        )
        await disk.clear()
        journal.note('there is room again')
      },
      tells: [
        {
          what: 'which checkpoint is missing, and why',
          by: 'worker-0',
          line: /no checkpoint of step .*ENOSPC/,
        },
      ],
    })
  },
}

/** The newest checkpoint is damaged when it is needed. */
export const damagedCheckpoint: Fault = {
  name: 'damagedCheckpoint',
  about: 'a parameter server dies, and the newest checkpoint ends in the middle',
  inShort: false,
  async run(scale) {
    await survive({
      scale,
      steps: scale.short ? 300 : 600,
      async strike(cluster) {
        const { journal, folder } = cluster
        await journal.reached(60)
        const from = journal.entries.length
        await cluster.kill('ps-0', { hold: true })
        // Who has lost the session writes no checkpoint any more.
        await journal.heard('worker-0', /lost its session/, { from })
        const steps = (await new Checkpoints(folder).list()).map((entry) => entry.step)
        await truncate(join(folder, `checkpoint-${steps.at(-1)}.safetensors`), 1000)
        journal.note(`the checkpoint of step ${steps.at(-1)} is cut short`)
        cluster.start('ps-0')
        await journal.heard('worker-0', new RegExp(`restored the checkpoint of step ${steps.at(-2)}: `), {
          from,
        })
      },
      tells: [
        { what: 'which checkpoint was passed over', by: 'worker-0', line: /is passed over: .*truncated/ },
        { what: 'which one was taken', by: 'worker-0', line: /restored the checkpoint of step/ },
      ],
    })
  },
}

async function newestStep(folder: string): Promise<number> {
  return (await new Checkpoints(folder).latest()) ?? Number.NaN
}

/** How many files were begun and not ended. */
async function drafts(folder: string): Promise<number> {
  return (await readdir(folder)).filter((name) => name.endsWith('.part')).length
}
