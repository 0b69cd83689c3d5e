import { Session, variable } from '@shoal/core'
import { Dataset } from '@shoal/data'
import { describe, expect, it } from 'vitest'
import { train } from '../train.ts'
import { earlyStopping } from './earlyStopping.ts'

/** A step that counts, and a metric that follows a script, one value per epoch. */
function scripted(values: readonly number[]) {
  const counter = variable(0, { name: 'counter' })
  const step = counter.assignAdd(1).node
  const validate = async ({ epoch }: { epoch: number }) => ({ score: values[epoch]! })
  const one = Dataset.from([0])
  return { counter, step, validate, data: one, feed: () => ({}), fetches: {}, epochs: values.length }
}

describe('early stopping', () => {
  async function until(values: readonly number[], options: Partial<Parameters<typeof earlyStopping>[0]>) {
    await using session = new Session()
    const { counter, ...rest } = scripted(values)
    await session.initialize(counter)
    const hooks = [earlyStopping({ metric: 'score', restoreBest: [counter], ...options })]
    const { epochs, stopped } = await train({ session, ...rest, hooks })
    return { epochs: epochs.length, stopped, counter: (await session.run(counter)).item() }
  }
  it('waits as long as its patience, and restores the best', async () => {
    expect(await until([5, 4, 6, 4, 3, 7, 7, 7, 7], { patience: 2 })).toEqual({
      epochs: 8,
      stopped: 'score was not better than 3 for 3 epochs',
      counter: 5,
    })
  })
  it('wants more where more is better, and by more than minDelta', async () => {
    expect(await until([1, 2, 2.05, 9], { mode: 'max', minDelta: 0.1 })).toMatchObject({
      epochs: 3,
      counter: 2,
    })
  })
  it('never takes NaN for better', async () => {
    expect(await until([Number.NaN, 3, Number.NaN, Number.NaN], { patience: 1 })).toMatchObject({
      epochs: 4,
      counter: 2,
    })
  })
  it('names the metrics that there are', async () => {
    await expect(until([1], { metric: 'scroe' })).rejects.toThrow("watches 'scroe'; the epoch has score")
  })
})
