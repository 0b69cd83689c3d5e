// Searches that are more than one number: several objectives, constraints, populations and gradients.
import { describe, expect, it } from 'vitest'
import { crowdingOf, frontsOf, ranked } from '../ranking.ts'
import { float, int } from '../space/domain.ts'
import { createStudy } from '../study/study.ts'
import { waitingTrial } from '../trial.ts'
import { gaussianProcessSampler } from './gaussianProcess.ts'
import { gradientSampler } from './gradient.ts'
import { nsga2Sampler } from './nsga2.ts'
import { populationSampler } from './population.ts'
import { randomSampler } from './random.ts'
import type { Sampler } from './sampler.ts'
import { tpeSampler } from './tpe.ts'

const trial = (number: number, objectives: readonly number[], constraints: readonly number[] = []) => ({
  ...waitingTrial(number, {}),
  state: 'complete' as const,
  objectives,
  constraints,
})

describe('fronts', () => {
  const both = ['minimize', 'minimize'] as const
  const trials = [
    trial(0, [1, 5]),
    trial(1, [2, 2]),
    trial(2, [5, 1]),
    trial(3, [2, 3]),
    trial(4, [6, 6]),
    trial(5, [0, 0], [2]),
    trial(6, [0, 0], [1]),
    trial(7, [3, 2], [-1]),
  ]
  it('are those that none leads, those that only these lead, and those that break constraints', () => {
    expect(frontsOf(trials, both).map((front) => front.map(({ number }) => number))).toEqual([
      [0, 1, 2],
      [3, 7],
      [4],
      [6],
      [5],
    ])
  })

  it('agree with looking at all pairs', () => {
    const many = Array.from({ length: 60 }, (_, i) => trial(i, [(i * 37) % 61, (i * 53) % 59, (i * 29) % 53]))
    const [first] = frontsOf(many, ['minimize', 'maximize', 'minimize'])
    const leads = (a: readonly number[], b: readonly number[]): boolean =>
      a[0]! <= b[0]! && a[1]! >= b[1]! && a[2]! <= b[2]! && a.some((value, i) => value !== b[i])
    const expected = many.filter((one) => !many.some((other) => leads(other.objectives, one.objectives)))
    expect(first!.map(({ number }) => number).sort((a, b) => a - b)).toEqual(
      expected.map(({ number }) => number),
    )
  })

  it('put the lone ones first', () => {
    const front = [trial(0, [0, 10]), trial(1, [1, 9]), trial(2, [5, 5]), trial(3, [10, 0])]
    const crowding = crowdingOf(front, both)
    expect(front.map((one) => crowding.get(one))).toEqual([Infinity, 1, 1.8, Infinity])
    expect(ranked(front, both).map(({ number }) => number)).toEqual([0, 3, 2, 1])
  })
})

/** The area that a front leads, up to (1.1, 1.1), of Schaffer's two parabolas scaled to 0…1. */
async function area(sampler: Sampler, trials: number): Promise<number> {
  const study = await createStudy({
    space: { x: float(-10, 10), y: float(-1, 1) },
    direction: ['minimize', 'minimize'],
    sampler,
    seed: 1,
  })
  await study.optimize(({ params: { x, y } }) => [x ** 2 / 4 + y ** 2, (x - 2) ** 2 / 4 + y ** 2], { trials })
  const front = (await study.front()).map(({ value }) => value!).sort(([a], [b]) => a - b)
  let [sum, height] = [0, 1.1]
  for (const [a, b] of front) {
    if (a >= 1.1 || b >= height) continue
    sum += (1.1 - a) * (height - b)
    height = b
  }
  return sum
}

describe('several objectives', () => {
  it('are searched better than by chance', async () => {
    const chance = await area(randomSampler(), 100)
    expect(await area(nsga2Sampler({ population: 16 }), 100)).toBeGreaterThan(chance + 0.05)
    expect(await area(tpeSampler(), 60)).toBeGreaterThan(chance)
    expect(await area(gaussianProcessSampler({ candidates: 60 }), 20)).toBeGreaterThan(chance)
  })
})

describe('constraints', () => {
  it('are learnt', async () => {
    const run = async (sampler: Sampler, trials: number) => {
      const study = await createStudy({ space: { x: float(0, 1), y: float(0, 1) }, sampler, seed: 4 })
      // The least sum beyond a circle around 0: a border, where chance seldom falls.
      await study.optimize(
        ({ params: { x, y } }) => ({ value: x + y, constraints: [0.8 - Math.hypot(x, y)] }),
        { trials },
      )
      return (await study.best())!.value!
    }
    expect(await run(gaussianProcessSampler({ startup: 6, candidates: 100 }), 20)).toBeLessThan(0.81)
    expect(await run(tpeSampler(), 60)).toBeLessThan(0.86)
  })
})

describe('a population', () => {
  it('goes on from copies of the best, and explores around them', async () => {
    const study = await createStudy({
      space: { rate: float(0, 1) },
      sampler: populationSampler({ population: 4, generations: 6 }),
      seed: 1,
    })
    // What is trained is a sum of rates: it lives on from parent to child.
    const saved = new Map<number, number>()
    await study.optimize(
      async ({ number, parent, params }) => {
        const before = parent === undefined ? 0 : saved.get(parent)!
        saved.set(number, before + params.rate)
        return -saved.get(number)!
      },
      { trials: 1000, parallel: 2 },
    )
    const trials = await study.trials()
    expect(trials.length).toBe(24)
    const firstRates = trials.slice(0, 4).map(({ params }) => params.rate)
    const alone = 6 * Math.max(...firstRates)
    expect(-(await study.best())!.value!).toBeGreaterThan(0.8 * alone)
    const worst = Math.min(...trials.slice(20).map(({ value }) => -value!))
    expect(worst).toBeGreaterThan(6 * Math.min(...firstRates))
  })

  it('needs to know how long to train', () => {
    expect(() => populationSampler({ generations: 0 })).toThrow('generations must be a whole number from 1')
  })
})

describe('gradients', () => {
  const space = { x: float(-4, 4), scale: float(1e-3, 10, { log: true }), n: int(1, 3) }

  it('lead down, over plain and logarithmic ranges', async () => {
    const study = await createStudy({
      space,
      sampler: gradientSampler({ chains: 2, steps: 25 }),
      direction: 'maximize',
    })
    await study.optimize(
      ({ params: { x, scale } }) => {
        const off = Math.log(scale / 0.5)
        return {
          value: -((x - 1) ** 2) - off ** 2,
          gradients: { x: -2 * (x - 1), scale: (-2 * off) / scale },
        }
      },
      { trials: 50, parallel: 2 },
    )
    expect((await study.best())!.value!).toBeGreaterThan(-0.05)
    // What has no gradient stays as its chain began.
    const kinds = new Set((await study.trials()).map(({ params }) => params.n))
    expect(kinds.size).toBeLessThanOrEqual(2)
  })

  it('step back, and less far, where a trial fails', async () => {
    const study = await createStudy({
      space: { x: float(0, 1) },
      sampler: gradientSampler({ chains: 1, rate: 0.5 }),
    })
    await study.add({ x: 0.5 }, 0)
    const xs: number[] = []
    await study.optimize(
      ({ params: { x } }) => {
        xs.push(x)
        if (xs.length > 1 && x < xs[0]! - 0.15) return Number.NaN
        return { value: x, gradients: { x: 1 } }
      },
      { trials: 5 },
    )
    const steps = xs.slice(1).map((x) => xs[0]! - x)
    expect(steps[0]).toBeCloseTo(Math.min(0.5, xs[0]!), 6)
    expect(steps[1]).toBeCloseTo(Math.min(0.25, xs[0]!), 6)
  })

  it('are asked for', async () => {
    const study = await createStudy({ space, sampler: gradientSampler({ chains: 1 }) })
    await expect(study.optimize(() => 1, { trials: 3 })).rejects.toThrow('told no gradients')
  })
})
