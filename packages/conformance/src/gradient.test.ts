import { defineOp, E, floats, mul, ndarray, placeholder, reference } from '@shoal/core'
import type { Tensor } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { checkNumerically } from './gradient.ts'
import { runTrial } from './trial.ts'
import type { Trial } from './trial.ts'

/** x³ whose gradient is said to be `factor`·x². */
const cube = (factor: number) =>
  defineOp({
    name: 'Cube',
    doc: 'x³.',
    inputs: ['x'],
    dtypes: [floats],
    infer: ([x]) => [x],
    grad: ({ dy, inputs: [x] }): [Tensor] => [mul(dy, mul(mul(x, x), factor))],
    body: { kind: 'scalar', expr: ([x]) => E.mul(x, E.mul(x, x)) },
  })

function trialOf(factor: number): Trial {
  const x = placeholder({ shape: [3], dtype: 'float64' })
  const values = { x: ndarray([1, 2, -0.5], 'float64') }
  return {
    name: 'cube',
    inputs: { x },
    values,
    outputs: new Map([['0', cube(factor)(x)]]),
    single: true,
    runs: 1,
  }
}

async function check(trial: Trial): Promise<void> {
  const device = reference()
  await checkNumerically([device], trial, await runTrial([device], trial), ['x'])
}

describe('checkNumerically', () => {
  it('takes a right gradient', async () => {
    await check(trialOf(3))
  })
  it('refuses a gradient that is wrong by a part in ten thousand', async () => {
    await expect(check(trialOf(3.0003))).rejects.toThrow('gradient of cube by x')
  })
})
