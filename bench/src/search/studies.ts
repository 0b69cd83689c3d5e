// Searches over functions whose least value is known, as often as chance needs to cancel: how good the best trial is, by how many trials there were.
import type { Sampler } from '@shoal/tune'
import { cmaEsSampler, createStudy, gaussianProcessSampler, randomSampler, tpeSampler } from '@shoal/tune'
import type { TestFunction } from './functions.ts'
import { testFunctions, valueOf } from './functions.ts'

/** Who searches, and after how many trials one looks. */
export interface Contestant {
  readonly name: string
  readonly counts: readonly number[]
  sampler(): Sampler
}

/** All that are measured. */
export const contestants: readonly Contestant[] = [
  { name: 'random', counts: [50, 100], sampler: randomSampler },
  { name: 'TPE', counts: [50, 100], sampler: tpeSampler },
  { name: 'TPE, one by one', counts: [50, 100], sampler: () => tpeSampler({ multivariate: false }) },
  { name: 'CMA-ES', counts: [100, 200], sampler: cmaEsSampler },
  { name: 'Gaussian process', counts: [50], sampler: gaussianProcessSampler },
]

/** What one contestant found of one function. */
export interface Finding {
  readonly contestant: string
  readonly of: TestFunction
  readonly count: number
  /** The best value of each study. */
  readonly bests: readonly number[]
}

/** Searches by the names of contestants; all seeds from 0. */
export async function findings(
  asked: (name: string) => boolean,
  { seeds, most }: { readonly seeds: number; readonly most: number },
): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for (const contestant of contestants.filter(({ name }) => asked(name))) {
    for (const of of testFunctions) {
      const counts = contestant.counts.map((count) => Math.min(count, most))
      const values: (readonly number[])[] = []
      for (let seed = 0; seed < seeds; seed++)
        values.push(await valuesOf(contestant, of, seed, Math.max(...counts)))
      for (const count of new Set(counts))
        found.push({
          contestant: contestant.name,
          of,
          count,
          bests: values.map((each) => Math.min(...each.slice(0, count))),
        })
    }
  }
  return found
}

async function valuesOf(
  contestant: Contestant,
  of: TestFunction,
  seed: number,
  trials: number,
): Promise<number[]> {
  const study = await createStudy({ space: of.space, sampler: contestant.sampler(), seed })
  const values: number[] = []
  await study.optimize(
    ({ params }) => {
      values.push(valueOf(of, params))
      return values.at(-1)!
    },
    { trials },
  )
  return values
}
