// The states of a job: which are for ever, and how they look.
import type { JobState } from '@shoal/edge-agent/client'
import type { Style } from '../terminal/terminal.ts'

const styles: Readonly<Record<JobState, Style>> = {
  queued: 'yellow',
  running: 'blue',
  succeeded: 'green',
  failed: 'red',
  stopped: 'dim',
}

/** How a state looks. */
export const styleOf = (state: JobState): Style => styles[state]

/** Is the job over? */
export const isOver = (state: JobState): boolean =>
  state === 'succeeded' || state === 'failed' || state === 'stopped'
