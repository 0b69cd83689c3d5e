// What agents are to reach.
import { quartiles } from '../statistics.ts'
import { type Results, type Target, targetsOf } from '../targets.ts'

/** What was measured of agents: samples by what they are of, in the units that the targets are in. */
export type AgentResults = Readonly<Record<string, readonly number[]>>

/** The median, or where `worst` is said the largest, of what was measured. */
const read =
  (name: string, worst = false): Target['read'] =>
  ({ agents }: Results) => {
    const samples = agents?.[name]
    if (!samples?.length) return []
    return [{ of: '', value: worst ? Math.max(...samples) : quartiles(samples).median }]
  }

/** All of them. */
export const agentTargets: readonly Target[] = targetsOf([
  [
    'one agent',
    [
      ['listens after', { atMost: 1000 }, read('start'), 'ms'],
      ['resident, with two others, the largest', { atMost: 100 }, read('resident', true), 'MiB'],
      ['idle, with two others, the busiest', { atMost: 1 }, read('idle', true), '% of a core'],
    ],
  ],
  [
    'together',
    [
      ['the last of 3 is trusted by all', { atMost: 3000 }, read('together-3'), 'ms'],
      ['the last of 20 is trusted by all', { atMost: 10_000 }, read('together-20'), 'ms'],
      ['a change of one of 8 is known to all, looks included', { atMost: 2000 }, read('news', true), 'ms'],
      ['a killed one of 8 is missed', { atMost: 5000 }, read('killed', true), 'ms'],
      ['one of 8 that stands still is missed', { atMost: 5000 }, read('stopped', true), 'ms'],
    ],
  ],
  [
    'jobs',
    [
      ['empty trials, 3 agents', { atLeast: 20 }, read('trials'), 'a second'],
      ['of a dataset that is there, moved to the agent', { atMost: 0 }, read('sent'), 'bytes'],
    ],
  ],
])
