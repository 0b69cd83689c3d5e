// What a job came to, as its program said it.
import type { Json } from '@shoal/edge-agent/client'
import { measured } from '../drawing/quantities.ts'
import type { Invocation } from '../invocation.ts'

/** Prints the result of a job, where it has one. */
export async function tellResult(invocation: Invocation, job: string): Promise<void> {
  await using agent = await invocation.agent()
  const { version, value } = await agent.document(job, 'result')
  if (version === 0 || value === null) return
  const { out } = invocation.shell
  const parts =
    typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : [['result', value] as const]
  out.print(...parts.map(([name, part]) => `${out.style('bold', name)}  ${sayJson(part as Json)}`))
}

/** JSON as people read it: `accuracy 0.981, logLoss 0.0712`. */
export function sayJson(value: Json): string {
  if (typeof value === 'number') return measured(value)
  if (value === null || typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return value.map((part: Json) => sayJson(part)).join('; ')
  return Object.entries(value as Readonly<Record<string, Json>>)
    .map(([name, part]) => `${name} ${typeof part === 'object' ? `(${sayJson(part)})` : sayJson(part)}`)
    .join(', ')
}
