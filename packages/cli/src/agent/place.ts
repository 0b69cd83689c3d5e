// Where the agent of this machine is: its state folder says so, and holds the node's own certificate, which is what the command shows.
import { existsSync } from 'node:fs'
import type { NodeCredentials } from '@shoal/distributed/peers'
import { findAgent, membershipSchema, StateFolder } from '@shoal/edge-agent/client'
import { NoAgentError } from '../errors.ts'

/** What it takes to speak to the agent of this machine. */
export interface AgentPlace {
  readonly address: string
  readonly credentials: NodeCredentials
}

/** Where the agent of a state folder is, and who it is. @throws NoAgentError where none runs, StateError where the folder is damaged. */
export async function placeOf(path: string): Promise<AgentPlace> {
  if (!existsSync(path)) throw new NoAgentError(`no agent runs on this machine: there is no ${path}`)
  const folder = await StateFolder.open(path)
  const agent = await findAgent(folder)
  const membership = await folder.read('identity.json', membershipSchema)
  if (!agent || !membership) throw new NoAgentError(`no agent runs on this machine: ${path} tells of none`)
  return { address: dialled(agent.address), credentials: membership.credentials }
}

/** An agent that listens everywhere is asked on this machine's own address. */
const dialled = (address: string): string =>
  address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:')
