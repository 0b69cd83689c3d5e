// Small studies: they come out as predicted, and the same each time.
import { describe, expect, it } from 'vitest'
import { meets } from '../targets.ts'
import { scalingSvg } from './chart.ts'
import { planned } from './measure.ts'
import { predictedBytes, predictedMs } from './predictions.ts'
import { links, type Setting } from './setting.ts'
import { study } from './study.ts'
import { curves, efficiencyTable } from './tables.ts'
import { scalingTargets } from './targets.ts'

const setting: Setting = {
  strategy: 'ring-16bit',
  workers: 2,
  bytesPerSecond: links['1 Gb/s'],
  scale: 16,
  bucketBytes: 2 ** 20,
}

describe('a study', () => {
  it('of a ring takes and sends what is predicted, and the same when it is made again', async () => {
    const outcome = await study(setting)
    expect(outcome.stepMs / predictedMs(setting)).toBeCloseTo(1, 1.7)
    expect(outcome.efficiency).toBeCloseTo(60 / outcome.stepMs, 12)
    // Heads are as large as in the whole model, and there are 16 times as many of them for each byte.
    expect(outcome.sentBytes / predictedBytes(setting)).toBeGreaterThan(1)
    expect(outcome.sentBytes / predictedBytes(setting)).toBeLessThan(1.05)
    expect(await study(setting)).toEqual(outcome)
  })

  it('of parameter servers takes what is predicted', async () => {
    const served: Setting = { ...setting, strategy: 'ps-sync' }
    expect((await study(served)).stepMs / predictedMs(served)).toBeCloseTo(1, 1)
  })
})

/** Every setting of a full run, as efficient as `efficiency` says. */
const results = (efficiency: number) => {
  const studied = (settings: readonly Setting[]) =>
    settings.map((each) => ({
      setting: each,
      outcome: { stepMs: 60 / efficiency, efficiency, sentBytes: 0, receivedBytes: 0 },
    }))
  const { grid, whole, scaled, buckets } = planned([], false)
  return { grid: studied(grid), whole: studied(whole), scaled: studied(scaled), buckets: studied(buckets) }
}

describe('a run in simulation', () => {
  it('reads its targets from what is studied', () => {
    const met = (efficiency: number) =>
      scalingTargets.map(({ read, bound }) =>
        read({ comparisons: [], quantities: [], scaling: results(efficiency) }).map(({ value }) =>
          meets(bound, value),
        ),
      )
    expect(met(0.91)).toEqual([[true], [true]])
    expect(met(0.89)).toEqual([[false], [false]])
  })

  it('shows every strategy with every number of workers', () => {
    const { grid } = results(0.5)
    const table = efficiencyTable(grid, '100 Mb/s')
    expect(table[2]).toBe('| workers | 1 | 2 | 4 | 8 | 16 | 32 | 64 |')
    expect(table.filter((line) => line.includes('0.50 (')).length).toBe(5)
    const svg = scalingSvg('100 Mb/s', curves(grid, '100 Mb/s'))
    expect(svg.match(/<circle/g)).toHaveLength(5 * 7)
    expect(svg).not.toContain('NaN')
  })
})
