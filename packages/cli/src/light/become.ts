// How this process goes on as the light command: the same process to whoever started it, with the same words.
import { ownProgram } from '../agent/ownProgram.ts'
import { cacheFolder, lightCommand } from './lightCommand.ts'

/** Objects that live long are few in an agent: its young ones need no more than a mebibyte at a time. */
const engineFlags = ['--max-semi-space-size=1']

/**
 * Goes on as the light command, with the words that this process was started with. Comes back only where that cannot be made.
 * @throws Error: why it cannot be made.
 */
export async function becomeLight(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { node, program } = ownProgram()
  const main = await lightCommand(program.at(-1)!, cacheFolder(env))
  process.execve!(node, [node, ...engineFlags, ...program.slice(0, -1), main, ...process.argv.slice(2)])
}
