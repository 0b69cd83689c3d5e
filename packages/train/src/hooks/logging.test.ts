import { placeholder, Session, variable } from '@shoal/core'
import { Dataset } from '@shoal/data'
import { describe, expect, it } from 'vitest'
import { train } from '../train.ts'
import { logging } from './logging.ts'
import { stopAtStep } from './stopAtStep.ts'

describe('logging', () => {
  it('writes lines for steps and epochs', async () => {
    await using session = new Session()
    const x = placeholder({ shape: [], name: 'x' })
    const step = variable(0, { name: 'n' }).assignAdd(1).node
    const lines: string[] = []
    await session.initialize(step)
    await train({
      session,
      step,
      fetches: { x },
      data: Dataset.from([1, 2, 3, 4.5]),
      feed: (value) => ({ x: value }),
      epochs: 2,
      hooks: [logging({ everySteps: 2, log: (line) => lines.push(line) }), stopAtStep(6)],
    })
    expect(lines).toEqual([
      'step 2: x 1.500',
      'step 4: x 3.750',
      'epoch 1 of 2, step 4: x 2.625',
      'step 6: x 1.500',
      'epoch 2 of 2 (partial: batches 1 to 2 of 4), step 6: x 1.500',
      'stopped: 6 steps are done',
    ])
  })
})
