// What is to be reached in simulation.
import type { Target } from '../targets.ts'
import { targetsOf } from '../targets.ts'
import { links, type Strategy } from './setting.ts'

/** The efficiency of a strategy that was studied with the whole model. */
const efficiency =
  (strategy: Strategy, bytesPerSecond: number): Target['read'] =>
  ({ scaling }) =>
    (scaling?.whole ?? [])
      .filter(({ setting }) => setting.strategy === strategy && setting.bytesPerSecond === bytesPerSecond)
      .map(({ setting, outcome }) => ({ of: `${setting.workers} workers`, value: outcome.efficiency }))

/** All targets in simulation. */
export const scalingTargets: readonly Target[] = targetsOf([
  [
    'efficiency',
    [
      ['a ring in 16 bits over 1 Gb/s', { atLeast: 0.9 }, efficiency('ring-16bit', links['1 Gb/s'])],
      ['local SGD over 100 Mb/s', { atLeast: 0.9 }, efficiency('local-sgd', links['100 Mb/s'])],
    ],
  ],
])
