import { describe, expect, it } from 'vitest'
import { randomSampler } from '../samplers/random.ts'
import { float } from '../space/domain.ts'
import { createStudy } from '../study/study.ts'
import type { TrialRecord } from '../trial.ts'
import { waitingTrial } from '../trial.ts'
import { medianPruner, percentilePruner } from './percentile.ts'
import type { Pruner } from './pruner.ts'
import { hyperbandPruner, successiveHalvingPruner } from './successiveHalving.ts'

/** A trial that reported these values at steps 1, 2, 3, … */
const reporting = (
  number: number,
  values: readonly number[],
  state: TrialRecord['state'] = 'complete',
): TrialRecord => ({
  ...waitingTrial(number, {}),
  state,
  reports: values.map((value, i) => [i + 1, value]),
})

function keeps(
  pruner: Pruner,
  others: readonly (readonly number[])[],
  own: readonly number[],
  sign: 1 | -1 = 1,
): boolean {
  const trials = others.map((values, i) => reporting(i, values))
  const trial = reporting(trials.length, own, 'running')
  return pruner.keep({ trial, trials: [...trials, trial], sign })
}

describe('the median pruner', () => {
  const pruner = medianPruner({ startup: 3, warmup: 2 })
  const others = [
    [9, 1, 1],
    [9, 2, 2],
    [9, 3, 3],
  ]

  it('stops what is behind the middle of the others at the same step', () => {
    expect(keeps(pruner, others, [9, 2])).toBe(true)
    expect(keeps(pruner, others, [9, 2.1])).toBe(false)
  })

  it('looks at the best that a trial has reported', () => {
    expect(keeps(pruner, others, [9, 1, 5])).toBe(true)
  })

  it('knows what is to rise', () => {
    expect(keeps(pruner, others, [0, 2], -1)).toBe(true)
    expect(keeps(pruner, others, [0, 1.9], -1)).toBe(false)
  })

  it('stops nothing before there are others, and before its first step', () => {
    expect(keeps(pruner, others.slice(1), [9, 9])).toBe(true)
    expect(keeps(pruner, others, [10])).toBe(true)
  })

  it('leaves alone who came further than all others', () => {
    expect(keeps(pruner, others, [9, 9, 9, 9])).toBe(true)
  })

  it('is the half of a percentile', () => {
    const strict = percentilePruner({ percentile: 0, startup: 1 })
    expect(keeps(strict, others, [9, 1])).toBe(true)
    expect(keeps(strict, others, [9, 1.1])).toBe(false)
    expect(() => percentilePruner({ percentile: 101 })).toThrow('from 0 to 100')
  })
})

describe('successive halving', () => {
  const pruner = successiveHalvingPruner({ first: 2, factor: 2 })

  it('lets the best half of those that came to a rung go on', () => {
    expect(
      keeps(
        pruner,
        [
          [0, 1],
          [0, 2],
          [0, 3],
        ],
        [0, 1.5],
      ),
    ).toBe(true)
    expect(
      keeps(
        pruner,
        [
          [0, 1],
          [0, 2],
          [0, 3],
        ],
        [0, 2.5],
      ),
    ).toBe(false)
    expect(
      keeps(
        pruner,
        [
          [0, 1],
          [0, 2],
          [0, 3],
        ],
        [0, 2.5],
        -1,
      ),
    ).toBe(true)
  })

  it('lets the first one go on, and decides at rungs alone', () => {
    expect(keeps(pruner, [], [5, 5])).toBe(true)
    expect(keeps(pruner, [[0, 1, 1, 1]], [9])).toBe(true)
    expect(keeps(pruner, [[0, 1, 1, 1]], [9, 0, 9])).toBe(true)
    expect(keeps(pruner, [[0, 1, 1, 1]], [9, 0, 9, 9])).toBe(false)
  })

  it('counts rungs that a report leaps over', () => {
    const trials = [reporting(0, [0, 1, 1, 1])]
    const trial: TrialRecord = { ...reporting(1, [], 'running'), reports: [[7, 2]] }
    expect(pruner.keep({ trial, trials: [...trials, trial], sign: 1 })).toBe(false)
  })
})

describe('hyperband', () => {
  it('takes a stop at other steps in other brackets', () => {
    const pruner = hyperbandPruner({ first: 1, factor: 3, last: 9 })
    // Each trial is worse than all before: it is stopped at the first rung of its bracket where it is not alone.
    const trials: TrialRecord[] = []
    const stops: number[] = []
    for (let number = 0; number < 120; number++) {
      const reports: [number, number][] = []
      let step = 0
      for (let going = true; going && step < 9; ) {
        reports.push([++step, number])
        const trial = { ...reporting(number, [], 'running'), reports: [...reports] }
        going = pruner.keep({ trial, trials: [...trials, trial], sign: 1 })
      }
      stops.push(step)
      trials.push({ ...reporting(number, []), reports })
    }
    const share = (step: number): number => stops.filter((at) => at === step).length / stops.length
    // 9, 5 and 3 trials begin in the brackets of Li et al.'s table for R = 9 and a factor of 3.
    expect(share(1)).toBeCloseTo(9 / 17, 0.9)
    expect(share(3)).toBeCloseTo(5 / 17, 0.9)
    expect(share(1)).toBeGreaterThan(share(3))
    expect(share(3)).toBeGreaterThan(share(9))
    expect(share(1) + share(3) + share(9)).toBe(1)
    expect(() => hyperbandPruner({ first: 2, last: 1 })).toThrow('last must not be before first')
  })
})

describe('pruned trials', () => {
  it('end as pruned, with what they came to', async () => {
    const study = await createStudy({
      space: { x: float(0, 1) },
      sampler: randomSampler(),
      pruner: successiveHalvingPruner({ factor: 2 }),
      direction: 'maximize',
    })
    let steps = 0
    await study.optimize(
      async (trial) => {
        let score = 0
        for (let epoch = 1; epoch <= 8; epoch++) {
          steps++
          score = trial.params.x * epoch
          if (!(await trial.report(epoch, score))) break
        }
        return score
      },
      { trials: 20 },
    )
    const trials = await study.trials()
    const pruned = trials.filter(({ state }) => state === 'pruned')
    expect(pruned.length).toBeGreaterThan(8)
    expect(steps).toBeLessThan(20 * 6)
    for (const { value, reports } of pruned) expect(value).toBe(reports.at(-1)![1])
    expect((await study.best())!.reports.length).toBe(8)
  })

  it('are those that report what is no number', async () => {
    const study = await createStudy({ space: { x: float(0, 1) } })
    await study.optimize(
      async (trial) => {
        expect(await trial.report(1, Number.NaN)).toBe(false)
        return 3
      },
      { trials: 1 },
    )
    expect(await study.trials()).toMatchObject([{ state: 'pruned', reports: [] }])
    await expect(
      createStudy({ space: { x: float(0, 1) }, direction: ['minimize', 'maximize'], pruner: medianPruner() }),
    ).rejects.toThrow('one objective')
  })
})
