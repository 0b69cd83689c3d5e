// Events of one job, as tests write them down.
import type { JobEvent, JobSpec } from '@shoal/edge-agent/client'

/** The job of all of them. */
export const job = 'j-aaaaaaaaaaaa'

type Rest<Event> = Event extends JobEvent ? Omit<Event, 'v' | 'job' | 'at'> : never

/** An event at a time. */
export const event = (at: number, rest: Rest<JobEvent>): JobEvent => ({ v: 1, job, at, ...rest }) as JobEvent

/** What the job is. */
export const spec = (name: string, kind: JobSpec['kind'] = 'train'): JobSpec => ({
  name,
  kind,
  program: '0'.repeat(64),
  tasks: { worker: { count: 2, need: { memoryBytes: 2 ** 29, cores: 1, devices: [] } } },
  serving: ['ps'],
  scheduling: kind === 'train' ? 'gang' : 'elastic',
  datasets: {},
  settings: {},
  reads: [],
  priority: 0,
  timeLimitMs: 86_400_000,
  retries: 1,
})

/** The first event. */
export const submitted = (name: string, kind: JobSpec['kind'] = 'train'): JobEvent =>
  event(0, { kind: 'submitted', node: 'pi-1', spec: spec(name, kind) })
