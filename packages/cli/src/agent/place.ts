// Where the agent of this machine is: its state folder says so, and holds the node's own certificate, which is what the command shows.
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { NodeCredentials } from '@shoal/distributed/peers'
import { NoAgentError } from '../errors.ts'

/** What it takes to speak to the agent of this machine. */
export interface AgentPlace {
  readonly address: string
  readonly credentials: NodeCredentials
}

/** The state folder where nothing else is said. */
export const defaultFolder = (env: Readonly<Record<string, string | undefined>>): string =>
  env['SHOAL_HOME'] || join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'shoal')

/** Reads where the agent of a state folder is. @throws NoAgentError where none was ever started. */
export async function findAgent(folder: string): Promise<AgentPlace> {
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')
  try {
    const { address } = JSON.parse(await read('agent.json')) as { readonly address: string }
    const credentials = JSON.parse(await read('credentials.json')) as NodeCredentials
    return { address, credentials }
  } catch (cause) {
    throw new NoAgentError(`no agent runs on this machine: ${folder} says of none`, { cause })
  }
}
