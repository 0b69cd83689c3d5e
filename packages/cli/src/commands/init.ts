// shoal init: the beginning of a project, which runs as it is.
import { Command } from 'commander'
import { CommandError } from '../errors.ts'
import { action, type Invocation } from '../invocation.ts'
import type { Shell } from '../shell.ts'

/** Writes a config and a program. */
export const initCommand = (shell: Shell): Command =>
  new Command('init')
    .description('write a config and a program to begin with')
    .argument('[folder]', 'where; it is made if it is not there', '.')
    .option('--force', 'replace files that are there')
    .action(action(shell, init))

const files = ['shoal.config.ts', 'train.ts'] as const

async function init(
  invocation: Invocation,
  { force = false }: { force?: boolean },
  typed: string,
): Promise<void> {
  const { copyFile, mkdir, constants } = await import('node:fs/promises')
  const { join } = await import('node:path')
  const folder = invocation.path(typed)
  await mkdir(folder, { recursive: true })
  for (const name of files) {
    try {
      const template = new URL(`../../templates/${name}`, import.meta.url)
      await copyFile(template, join(folder, name), force ? 0 : constants.COPYFILE_EXCL)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw new CommandError(`${join(folder, name)} is there already`, {
        remedy: 'replace it: shoal init --force',
      })
    }
  }
  const inside = typed === '.' ? '' : `cd ${typed} && `
  invocation.answer({ folder, files }, [
    `${files.join(' and ')} are written. Train: ${inside}shoal train`,
    'For the types in an editor: npm install shoal @shoal/core @shoal/data @shoal/train @shoal/tune',
  ])
}
