import { describe, expect, it } from 'vitest'
import { meets } from '../targets.ts'
import { agentTargets } from './targets.ts'

const readings = (agents: Readonly<Record<string, readonly number[]>>) =>
  agentTargets.flatMap(({ says, bound, read }) =>
    read({ comparisons: [], quantities: [], agents }).map(({ value }) => [says, value, meets(bound, value)]),
  )

describe('targets of agents', () => {
  it('are read from medians, and from the worst where all have to be so', () => {
    expect(readings({ start: [900, 1100, 950], resident: [80, 101, 90], sent: [0] })).toEqual([
      ['listens after', 950, true],
      ['resident, with two others, the largest', 101, false],
      ['of a dataset that is there, moved to the agent', 0, true],
    ])
  })

  it('say nothing of what was not measured', () => {
    expect(readings({})).toEqual([])
  })
})
