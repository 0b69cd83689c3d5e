import { mul, placeholder, Session, sum, ValueError, variable } from '@shoal/core'
import { Dataset } from '@shoal/data'
import { describe, expect, it } from 'vitest'
import type { CheckpointFacts, Saver } from '../checkpoint/saver.ts'
import { gradientDescent } from '../optimizers/gradientDescent.ts'
import { train } from '../train.ts'
import { allVariables } from '../variables.ts'
import { saveEvery } from './saveEvery.ts'

describe('saving', () => {
  async function saves(options: {
    readonly steps?: number
    readonly epochs?: number
  }): Promise<CheckpointFacts[]> {
    await using session = new Session()
    const w = variable([1, 2], { name: 'w' })
    const x = placeholder({ shape: [], name: 'x' })
    const loss = sum(mul(w, x))
    const step = gradientDescent({ learningRate: 0.1 }).minimize(loss)
    const variables = allVariables(step)
    await session.initialize(step)
    const facts: CheckpointFacts[] = []
    const saver: Saver = {
      save: async (_, saved, fact) => {
        expect(saved).toBe(variables)
        facts.push(fact)
      },
      latest: () => Promise.reject(new Error('not asked for')),
      restore: () => Promise.reject(new Error('not asked for')),
    }
    await train({
      session,
      step,
      fetches: { loss },
      data: Dataset.from([1, 2, 3, 4]),
      feed: (value) => ({ x: value }),
      epochs: 3,
      hooks: [saveEvery({ saver, variables, ...options })],
    })
    return facts
  }
  it('happens every so many steps, and at the end', async () => {
    expect((await saves({ steps: 5 })).map((fact) => fact.step)).toEqual([5, 10, 12])
  })
  it('happens every so many epochs, with their metrics', async () => {
    const facts = await saves({ epochs: 2 })
    expect(facts.map((fact) => fact.step)).toEqual([8, 12])
    expect(facts[0]!.metrics).toEqual({ loss: expect.any(Number) as number })
    expect((await saves({})).map((fact) => fact.step)).toEqual([4, 8, 12])
  })
  it('refuses every 0 steps', async () => {
    await expect(saves({ steps: 0 })).rejects.toThrow(ValueError)
  })
})
