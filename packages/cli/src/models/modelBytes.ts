// The bytes of a model: of a file, or of what a job has saved.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Json } from '@shoal/edge-agent/client'
import type { Agent } from '../agent/agent.ts'
import { MissingError } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import { findJob } from '../jobs/find.ts'

/** Which model of a job is meant. */
export interface WhichModel {
  /** Its name. Default: 'model'. */
  readonly model?: string
  /** The trial of a search. Default: the best. */
  readonly trial?: number
}

/** Reads a model: a file where there is one of that name, otherwise of a job. @throws MissingError where there is neither. */
export async function modelBytes(
  invocation: Invocation,
  typed: string,
  which: WhichModel = {},
): Promise<Uint8Array> {
  const path = invocation.path(typed)
  if (existsSync(path)) return readFile(path)
  if (/[./\\]/.test(typed)) throw new MissingError(`there is no ${path}`)
  return modelOfJob(invocation, typed, which)
}

/** Reads what a job has saved. @throws MissingError where there is no such job, or it has no such model. */
export async function modelOfJob(
  invocation: Invocation,
  typed: string,
  which: WhichModel,
): Promise<Uint8Array> {
  await using agent = await invocation.agent()
  const { id, spec } = await findJob(agent, typed)
  const key = await keyOf(agent, id, spec.kind === 'search', which)
  const { value } = await agent.document(id, key)
  const { hash } = (value ?? {}) as { readonly hash?: Json }
  if (typeof hash !== 'string')
    throw new MissingError(
      `${spec.name} (${id}) has no model at '${key}'`,
      'has it saved one, by task.saveModel?',
    )
  // The agent is let go of when this returns.
  return await agent.readBlob(hash)
}

async function keyOf(
  agent: Agent,
  job: string,
  isSearch: boolean,
  { model = 'model', trial }: WhichModel,
): Promise<string> {
  if (!isSearch) return `models/${model}`
  if (trial !== undefined) return `trials/${trial}`
  const { value } = await agent.document(job, 'result')
  const best = (value as { readonly best?: { readonly trial?: Json } | null } | null)?.best?.trial
  if (typeof best !== 'number')
    throw new MissingError(`the search ${job} has no best trial yet`, 'say which: --trial 3')
  return `trials/${best}`
}
