import { describe, expect, it } from 'vitest'
import { accepts, categorical, float, int } from '../space/domain.ts'
import { branch, parametersOf, toValues } from '../space/space.ts'
import type { Trial } from '../study/runningTrial.ts'
import { createStudy } from '../study/study.ts'
import { cmaEsSampler } from './cmaEs.ts'
import { gaussianProcessSampler } from './gaussianProcess.ts'
import { gridSampler } from './grid.ts'
import { nsga2Sampler } from './nsga2.ts'
import { populationSampler } from './population.ts'
import { haltonNumber, quasiRandomSampler } from './quasiRandom.ts'
import { randomSampler } from './random.ts'
import type { Sampler } from './sampler.ts'
import { tpeSampler } from './tpe.ts'

const mixed = {
  rate: float(1e-4, 1, { log: true }),
  width: int(1, 40),
  share: float(0, 1, { step: 0.25 }),
  kind: categorical(['a', 'b', 'c']),
  optimizer: branch({
    sgd: { momentum: float(0, 1) },
    adam: { warm: categorical([true, false]), more: int(1, 9, { log: true }) },
  }),
}

function mixedObjective({ params }: Trial<typeof mixed>): number {
  const { rate, width, share, kind, optimizer } = params
  const own = optimizer.choice === 'sgd' ? optimizer.momentum : 0.2 * optimizer.more
  return (
    Math.log10(rate / 0.01) ** 2 +
    ((width - 12) / 20) ** 2 +
    (share - 0.5) ** 2 +
    (kind === 'b' ? 0 : 0.5) +
    own
  )
}

const samplers: readonly (readonly [string, () => Sampler])[] = [
  ['random', randomSampler],
  ['quasi-random', quasiRandomSampler],
  ['grid', () => gridSampler({ points: 3 })],
  ['tpe', () => tpeSampler({ startup: 5 })],
  ['tpe, one by one', () => tpeSampler({ startup: 5, multivariate: false })],
  ['gaussian process', () => gaussianProcessSampler({ startup: 4, candidates: 60 })],
  ['cma-es', cmaEsSampler],
  ['nsga-ii', () => nsga2Sampler({ population: 6 })],
  ['population', () => populationSampler({ population: 3, generations: 5 })],
]

describe.each(samplers)('the sampler %s', (_, make) => {
  const run = async (parallel: number, seed = 1) => {
    const study = await createStudy({ space: mixed, sampler: make(), seed })
    // Some fail, and some run beside others: the first of each pair ends last.
    await study.optimize(
      async (trial) => {
        for (let turn = trial.number % 2; turn < 3; turn++) await Promise.resolve()
        if (trial.number % 7 === 3) throw new RangeError('fails')
        return mixedObjective(trial)
      },
      { trials: 14, parallel, tolerate: () => true },
    )
    return study.trials()
  }

  it('stays in the space, whatever fails and whatever runs beside', async () => {
    const trials = await run(3)
    expect(trials.length).toBe(14)
    for (const { params } of trials) {
      const values = toValues(mixed, params)
      for (const { path, domain } of parametersOf(mixed))
        expect(values[path] === undefined || accepts(domain, values[path])).toBe(true)
    }
  })

  it('proposes the same by the same seed', async () => {
    expect(await run(1)).toEqual(await run(1))
  })
})

/** The best of a search over a bowl whose least value is 0 at (0.3, 0.7). */
async function bowl(sampler: Sampler, trials: number): Promise<number> {
  const study = await createStudy({ space: { x: float(0, 1), y: float(0, 1) }, sampler, seed: 2 })
  await study.optimize(({ params: { x, y } }) => (x - 0.3) ** 2 + 4 * (y - 0.7 - 0.5 * (x - 0.3)) ** 2, {
    trials,
  })
  return (await study.best())!.value!
}

describe('samplers', () => {
  it('that learn come closer than chance', async () => {
    const chance = await bowl(randomSampler(), 40)
    expect(await bowl(tpeSampler(), 40)).toBeLessThan(chance / 4)
    expect(await bowl(tpeSampler({ multivariate: false }), 40)).toBeLessThan(chance)
    expect(await bowl(cmaEsSampler(), 100)).toBeLessThan(1e-3)
    expect(await bowl(gaussianProcessSampler({ startup: 6, candidates: 100 }), 16)).toBeLessThan(1e-5)
  })

  it('find the better branch, and what is good within it', async () => {
    const study = await createStudy({ space: mixed, seed: 3 })
    await study.optimize(mixedObjective, { trials: 80 })
    const chance = await createStudy({ space: mixed, seed: 3, sampler: randomSampler() })
    await chance.optimize(mixedObjective, { trials: 80 })
    expect((await study.best())!.value!).toBeLessThan(0.6 * (await chance.best())!.value!)
    expect((await study.best())!.params.kind).toBe('b')
  })

  it('keep parallel trials apart', async () => {
    for (const sampler of [
      tpeSampler({ startup: 4 }),
      gaussianProcessSampler({ startup: 4, candidates: 60 }),
    ]) {
      const study = await createStudy({ space: { x: float(0, 1) }, sampler })
      await study.optimize(({ params }) => params.x ** 2, { trials: 8 })
      const open: number[] = []
      for (let i = 0; i < 4; i++)
        open.push(((await study.ask()) as Trial<{ x: ReturnType<typeof float> }>).params.x)
      expect(new Set(open).size).toBe(4)
      study.close()
    }
  })
})

describe('the grid', () => {
  it('tries every combination once, and leaves out what a branch leaves out', async () => {
    const space = {
      a: branch({ one: { n: int(1, 2) }, none: {} }),
      b: categorical([true, false]),
      c: float(0, 1),
    }
    const study = await createStudy({ space, sampler: gridSampler({ points: 2 }) })
    await study.optimize(() => 0, { trials: 1000, parallel: 3 })
    const tried = (await study.trials()).map(({ params }) => JSON.stringify(params))
    expect(tried.length).toBe(3 * 2 * 2)
    expect(new Set(tried).size).toBe(12)
    expect(tried[0]).toBe('{"a":{"choice":"one","n":1},"b":true,"c":0}')
  })

  it('refuses to be endless', async () => {
    const space = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`x${i}`, float(0, 1)]))
    const study = await createStudy({ space, sampler: gridSampler() })
    await expect(study.ask()).rejects.toThrow('more than 100000 combinations')
  })
})

describe("Halton's sequence", () => {
  it('fills every stretch alike', () => {
    for (const [axis, base] of [
      [0, 2],
      [1, 3],
      [4, 11],
    ] as const) {
      const cells = Array.from({ length: base * base }, (_, i) =>
        Math.floor(haltonNumber(i, axis, 5) * base * base),
      )
      expect(cells.sort((a, b) => a - b)).toEqual(Array.from({ length: base * base }, (_, i) => i))
    }
  })
})

describe('covariance matrix adaptation', () => {
  it('begins anew, with more trials, when it has come to an end', async () => {
    const study = await createStudy({
      space: { x: float(0, 1) },
      sampler: cmaEsSampler({ restartBelow: 1e-2 }),
    })
    await study.optimize(({ params }) => (params.x - 0.5) ** 2, { trials: 120 })
    const far = (await study.trials()).slice(60).filter(({ params }) => Math.abs(params.x - 0.5) > 0.1)
    expect(far.length).toBeGreaterThan(5)
  })

  it('says what it cannot do', async () => {
    const two = await createStudy({
      space: { x: float(0, 1) },
      direction: ['minimize', 'minimize'],
      sampler: cmaEsSampler(),
    })
    await expect(two.ask()).rejects.toThrow('knows one objective')
    const none = await createStudy({ space: { x: categorical([1, 2]) }, sampler: cmaEsSampler() })
    await expect(none.ask()).rejects.toThrow('needs numbers')
  })
})
