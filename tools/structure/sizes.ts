// Files that have grown past reading, and names that say nothing about what is inside.
import { basename } from 'node:path'
import { files, text } from '../workspace.ts'

/** The most lines that a source file may have, tests included. */
export const maxLines = 500

const saysNothing = /^(utils?|helpers?|commons?|misc|miscellaneous|stuff|shared-utils)$/i

const sources = '**/*.{ts,tsx,mjs}'

/** The source files with more than `maxLines` lines. */
export function longFiles(root?: string): readonly string[] {
  return files(sources, root)
    .map((file) => ({ file, lines: text(file, root).split('\n').length - 1 }))
    .filter(({ lines }) => lines > maxLines)
    .map(({ file, lines }) => `${file} has ${lines} lines, more than ${maxLines}`)
}

/** The source files and folders whose name gives no subject. */
export function namelessFiles(root?: string): readonly string[] {
  return files(sources, root)
    .filter((file) => file.split('/').some((part) => saysNothing.test(basename(part).replace(/\..*$/, ''))))
    .map((file) => `${file}: name it for its subject`)
}
