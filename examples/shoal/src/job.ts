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
import { TrafficByNode } from './traffic.ts'

/** A trial of a search, as it ended. */
export type EndedTrial = Extract<JobEvent, { kind: 'trialEnded' }>

/** What came of a job. */
export interface Outcome {
  readonly id: string
  /** What its program said. */
  readonly result: Json
  /** By their numbers. */
  readonly trials: readonly EndedTrial[]
  /** What went between the nodes meanwhile. */
  readonly traffic: TrafficByNode
  readonly tookMs: number
}

/** What to give, besides the program. */
export type JobParts = Pick<Submission, 'kind' | 'told' | 'reads'> & {
  readonly set: Readonly<Record<string, number>>
}

const program = fileURLToPath(new URL('digits.ts', import.meta.url))
const digits = fileURLToPath(new URL('../../../datasets', import.meta.url))

/** Where a job is run and watched. */
export interface Surroundings {
  /** All nodes. */
  readonly nodes: readonly Node[]
  readonly story: Story
  readonly signal: AbortSignal
}

/**
 * Gives a job to a node, and watches it to its end.
 * @throws Error with its reason where it has not succeeded; what the node answers; the reason of the signal.
 */
export async function runJob(
  node: Node,
  { set, ...parts }: JobParts,
  { nodes, story, signal }: Surroundings,
): Promise<Outcome> {
  const beganAt = performance.now()
  const traffic = new TrafficByNode()
  await traffic.addAgents(nodes, signal, -1)
  const invocation = new Invocation(
    { ...shell, onInterrupt: onAbort(signal) },
    { folder: node.folder, json: true },
  )
  const settings = { name: `digits-${parts.kind}`, data: { digits }, set }
  const id = await submit(invocation, { ...parts, file: program, settings })
  const lines = new JobLines()
  const trials = new Map<number, EndedTrial>()
  let end: Extract<JobEvent, { kind: 'state' }> | undefined
  for await (const { events } of follow(invocation, id, { signal }))
    for (const event of events) {
      const line = lines.of(event)
      if (line !== undefined) story.line(line)
      if (event.kind === 'state') end = event
      if (event.kind === 'trialEnded') trials.set(event.trial, event)
      if (event.kind === 'traffic') traffic.add(event.node, event)
    }
  signal.throwIfAborted()
  if (end?.state !== 'succeeded')
    throw new Error(`${settings.name} ${end?.state ?? 'has no end'}${end?.reason ? `: ${end.reason}` : ''}`)
  const { value } = await node.ask((agent) => agent.document(id, 'result'), signal)
  const tookMs = performance.now() - beganAt
  await traffic.addAgents(nodes, signal)
  return {
    id,
    result: value,
    trials: [...trials.values()].sort((a, b) => a.trial - b.trial),
    traffic,
    tookMs,
  }
}

const shell = processShell()

/** Ctrl-C is heard once, by the main job, and handed on as a signal. */
const onAbort = (signal: AbortSignal) => (listener: () => void) => {
  signal.addEventListener('abort', listener, { once: true })
  if (signal.aborted) listener()
  return () => signal.removeEventListener('abort', listener)
}
