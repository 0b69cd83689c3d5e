// How this very command is started again: by the same Node, with the same flags.
import { fileURLToPath } from 'node:url'

/** The file of Node, and what it is given before the words of a command. */
export function ownProgram(): { readonly node: string; readonly program: readonly string[] } {
  const main = fileURLToPath(new URL(`../main${import.meta.url.slice(-3)}`, import.meta.url))
  const conditions = process.execArgv.filter((flag) => flag.startsWith('--conditions='))
  return { node: process.execPath, program: [...conditions, main] }
}
