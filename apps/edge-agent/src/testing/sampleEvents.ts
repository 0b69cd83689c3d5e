// A short run as its history tells it, for tests: two attempts of a training, with a node that is lost in the first.
import { hashOf } from '../blobs/hash.ts'
import { jobSpecSchema } from '../jobs/spec.ts'
import type { JobEvent } from '../history/event.ts'

/** The job of the run. */
export const sampleJob = 'j-abcdefghijkl'

const base = { v: 1, job: sampleJob } as const
const start = Date.UTC(2026, 0, 1)

/** What an event says besides what all say. */
type Said<E> = E extends JobEvent ? Omit<E, 'v' | 'job' | 'at'> : never

/** An event, so many milliseconds after the start. */
export const eventAt = (ms: number, said: Said<JobEvent>): JobEvent =>
  ({ ...base, at: start + ms, ...said }) as JobEvent

const spec = jobSpecSchema.parse({
  name: 'mnist',
  kind: 'train',
  program: hashOf(new Uint8Array(0)),
  tasks: { worker: { count: 2 } },
  scheduling: 'gang',
})

const metrics = (ms: number, attempt: number, node: string, step: number, loss: number): JobEvent =>
  eventAt(ms, { kind: 'metrics', task: 'worker:0', attempt, node, step, values: { loss } })

/** The run. */
export const sampleEvents: readonly JobEvent[] = [
  eventAt(0, { kind: 'submitted', node: 'laptop', spec }),
  eventAt(1, { kind: 'led', node: 'pi1', term: 1 }),
  eventAt(10, { kind: 'state', state: 'running', attempt: 0, reason: '' }),
  eventAt(11, { kind: 'taskStarted', task: 'worker:0', attempt: 0, node: 'pi1' }),
  eventAt(12, { kind: 'taskStarted', task: 'worker:1', attempt: 0, node: 'pi2' }),
  metrics(20, 0, 'pi1', 1, 4),
  metrics(30, 0, 'pi1', 2, 3),
  metrics(40, 0, 'pi1', 3, 2.5),
  eventAt(50, { kind: 'node', node: 'pi2', state: 'lost' }),
  eventAt(51, { kind: 'taskEnded', task: 'worker:1', attempt: 0, node: 'pi2', reason: 'its node was lost' }),
  eventAt(52, { kind: 'taskEnded', task: 'worker:0', attempt: 0, node: 'pi1', reason: '' }),
  eventAt(53, { kind: 'led', node: 'pi3', term: 2 }),
  eventAt(60, { kind: 'state', state: 'running', attempt: 1, reason: '' }),
  eventAt(61, { kind: 'taskStarted', task: 'worker:0', attempt: 1, node: 'pi1' }),
  eventAt(62, { kind: 'taskStarted', task: 'worker:1', attempt: 1, node: 'pi3' }),
  eventAt(63, {
    kind: 'log',
    task: 'worker:0',
    attempt: 1,
    node: 'pi1',
    stream: 'stdout',
    line: 'zurück "hier" 🐟',
  }),
  metrics(70, 1, 'pi1', 2, 2.75),
  metrics(80, 1, 'pi1', 3, 2),
  eventAt(81, { kind: 'node', node: 'pi2', state: 'back' }),
  eventAt(90, { kind: 'traffic', task: 'worker:0', attempt: 1, node: 'pi1', sent: 100, received: 40 }),
  eventAt(91, { kind: 'traffic', task: 'worker:1', attempt: 1, node: 'pi3', sent: 40, received: 100 }),
  eventAt(92, { kind: 'taskEnded', task: 'worker:0', attempt: 1, node: 'pi1', reason: '' }),
  eventAt(93, { kind: 'taskEnded', task: 'worker:1', attempt: 1, node: 'pi3', reason: '' }),
  eventAt(100, { kind: 'state', state: 'succeeded', attempt: 1, reason: '' }),
]
