// Jobs as the command gives and watches them, for tests: a program is put, a job submitted, and followed to its end whoever leads it.
import { ndarray } from '@shoal/core'
import { pause, systemClock } from '@shoal/distributed/peers'
import * as blobs from '../../api/blobs.ts'
import * as jobs from '../../api/jobs.ts'
import { hashOf } from '../../blobs/hash.ts'
import type { JobEvent } from '../../history/event.ts'
import { type JobRequest, type JobState, jobSpecSchema } from '../../jobs/spec.ts'
import { bundleProgram } from '../../task/bundle.ts'
import type { AskedAgent } from './askedAgent.ts'

/** Has a node keep bytes. Answers their hash. */
export async function putBlob(agent: AskedAgent, bytes: Uint8Array): Promise<string> {
  const hash = hashOf(bytes)
  for (let offset = 0; offset < bytes.length; offset += blobs.pieceBytes) {
    const piece = bytes.slice(offset, offset + blobs.pieceBytes)
    const request = { hash, offset, bytes: bytes.length, keepFor: 'test' }
    await agent.ask(blobs.write, request, { tensors: [ndarray(piece)] })
  }
  return hash
}

/** Bundles the program in a file, and has a node keep it. Answers its hash. */
export const putProgram = async (agent: AskedAgent, file: string): Promise<string> =>
  putBlob(agent, await bundleProgram(file))

/** Submits a job. Answers its id. */
export const submit = async (agent: AskedAgent, spec: JobRequest): Promise<string> =>
  (await agent.ask(jobs.submit, { spec: jobSpecSchema.parse(spec) })).job

/** What somebody who watches a job has heard of it. */
export interface Watched {
  readonly job: string
  readonly events: JobEvent[]
  state: JobState
}

/** So long nobody may lead a job while it is watched. */
const patienceMs = 20_000
const againMs = 100

/** Watches a job to its end by way of an agent, from where it was watched before, or until the signal aborts. `seen` is told of each event, and awaited. */
export async function watch(
  agent: AskedAgent,
  watched: Watched,
  seen: (event: JobEvent) => void | Promise<void> = () => {},
  signal?: AbortSignal,
): Promise<Watched> {
  const request = () => ({ job: watched.job, from: watched.events.length, waitMs: 1000 })
  for (;;) {
    const { events, state } = await patiently(() => agent.ask(jobs.events, request()))
    watched.events.push(...events)
    watched.state = state
    for (const event of events) await seen(event)
    if (signal?.aborted) return watched
    if (events.length === 0 && !['queued', 'running'].includes(state)) return watched
  }
}

/** Asks again where there is no answer: a job may have no leader now, or an agent be away, and there will be another one. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + patienceMs
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (performance.now() > until) throw error
      await pause(againMs, systemClock)
    }
  }
}

/** Submits a job and watches it to its end. */
export async function run(agent: AskedAgent, spec: JobRequest): Promise<Watched> {
  return watch(agent, { job: await submit(agent, spec), events: [], state: 'queued' })
}

/** The lines that tasks have written. */
export const linesOf = ({ events }: Watched): readonly string[] =>
  events.flatMap((event) => (event.kind === 'log' ? [event.line] : []))
