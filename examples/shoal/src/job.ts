// A job of the main job: given to a node as the command does it, watched until it is over, and what is to be remembered of it.
import { fileURLToPath } from 'node:url'
import {
  follow,
  Invocation,
  type JobEvent,
  type Json,
  processShell,
  submit,
  type Submission,
} from 'shoal/client'
import type { Node } from './node.ts'
import { JobLines, type Story } from './story.ts'

/** A trial of a search, as it ended. */
export type EndedTrial = Extract<JobEvent, { kind: 'trialEnded' }>

/** What came of a job. */
export interface Outcome {
  readonly id: string
  /** What its program said. */
  readonly result: Json
  /** By their numbers. */
  readonly trials: readonly EndedTrial[]
  /** Bytes that its tasks sent to each other, by node. */
  readonly traffic: ReadonlyMap<string, { readonly sent: number; readonly received: number }>
  readonly tookMs: number
}

/** What to give, besides the program. */
export type JobParts = Pick<Submission, 'kind' | 'told' | 'reads'> & {
  readonly set: Readonly<Record<string, number>>
}

const program = fileURLToPath(new URL('digits.ts', import.meta.url))
const digits = fileURLToPath(new URL('../../../datasets', import.meta.url))

/** Runs a job to its end. @throws Error with its reason where it has not succeeded; what the node answers; the reason of the signal. */
export async function runJob(
  node: Node,
  { set, ...parts }: JobParts,
  { story, signal }: { readonly story: Story; readonly signal: AbortSignal },
): Promise<Outcome> {
  const beganAt = performance.now()
  const shell = {
    ...processShell(),
    onInterrupt(listener: () => void) {
      signal.addEventListener('abort', listener, { once: true })
      if (signal.aborted) listener()
      return () => signal.removeEventListener('abort', listener)
    },
  }
  const invocation = new Invocation(shell, { folder: node.folder, json: true })
  const settings = { name: `digits-${parts.kind}`, data: { digits }, set }
  const id = await submit(invocation, { ...parts, file: program, settings })
  const lines = new JobLines()
  const trials = new Map<number, EndedTrial>()
  const traffic = new Map<string, { sent: number; received: number }>()
  let end: Extract<JobEvent, { kind: 'state' }> | undefined
  for await (const { events } of follow(invocation, id, { signal }))
    for (const event of events) {
      const line = lines.of(event)
      if (line !== undefined) story.line(line)
      if (event.kind === 'state') end = event
      if (event.kind === 'trialEnded') trials.set(event.trial, event)
      if (event.kind !== 'traffic') continue
      const { sent, received } = traffic.get(event.node) ?? { sent: 0, received: 0 }
      traffic.set(event.node, { sent: sent + event.sent, received: received + event.received })
    }
  signal.throwIfAborted()
  if (end?.state !== 'succeeded')
    throw new Error(`${settings.name} ${end?.state ?? 'has no end'}${end?.reason ? `: ${end.reason}` : ''}`)
  const { value } = await node.ask((agent) => agent.document(id, 'result'), signal)
  return {
    id,
    result: value,
    trials: [...trials.values()].sort((a, b) => a.trial - b.trial),
    traffic,
    tookMs: performance.now() - beganAt,
  }
}
