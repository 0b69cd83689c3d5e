// Where the agent of a folder is to be found: what it writes down when it listens, and the command reads.
import { z } from 'zod'
import type { StateFolder } from './stateFolder.ts'
import { isRunning, type SystemProcess, systemProcessSchema, thisProcess } from './systemProcess.ts'

const name = 'agent.json'

const schema = systemProcessSchema.extend({
  /** Where it listens: `host:port`. */
  address: z.string(),
  /** Of the program. */
  version: z.string(),
})

/** An agent that runs. */
export interface RunningAgent extends SystemProcess {
  /** Where it listens: `host:port`. */
  readonly address: string
  /** Of the program. */
  readonly version: string
}

/** Says that the agent of this folder is this process, until what is returned is disposed of. */
export async function announceAgent(
  folder: StateFolder,
  said: { readonly address: string; readonly version: string },
): Promise<AsyncDisposable> {
  await folder.write(name, { ...thisProcess(), ...said })
  return { [Symbol.asyncDispose]: () => folder.remove(name) }
}

/** The agent of a folder; undefined where none runs. @throws StateError for a file that is damaged. */
export async function findAgent(folder: StateFolder): Promise<RunningAgent | undefined> {
  const agent = await folder.read(name, schema)
  return agent && isRunning(agent) ? agent : undefined
}
