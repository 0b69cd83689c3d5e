// A job by what people type: its id, the beginning of it, or the name that they gave it.
import type { JobView } from '@shoal/edge-agent/client'
import type { Agent } from '../agent/agent.ts'
import { MissingError, UsageError } from '../errors.ts'

/** Finds a job; of several with a name that which was submitted last. @throws MissingError, UsageError where a beginning fits several. */
export async function findJob(agent: Agent, typed: string): Promise<JobView> {
  const { jobs } = await agent.jobs()
  const exact = jobs.find(({ id }) => id === typed)
  if (exact) return exact
  const named = jobs.filter(({ spec }) => spec.name === typed)
  if (named.length > 0) return named.reduce((a, b) => (b.submittedAt > a.submittedAt ? b : a))
  const begun = jobs.filter(
    ({ id }) => typed.length >= 2 && [id, id.slice(2)].some((text) => text.startsWith(typed)),
  )
  const [only, other] = begun
  if (!only) throw new MissingError(`there is no job '${typed}'`, 'those that there are: shoal jobs')
  if (other) throw new UsageError(`'${typed}' may be ${begun.map(({ id }) => id).join(' or ')}`)
  return only
}
