import {
  add,
  constant,
  matmul,
  mean,
  mul,
  ndarray,
  placeholder,
  Session,
  square,
  sub,
  sum,
} from '@shoal/core'
import type { Tensor } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { unroll } from './unroll.ts'

/** A ridge regression: its rate and its penalty are hyper-parameters. */
function ridge() {
  const rate = placeholder({ shape: [], name: 'rate' })
  const penalty = placeholder({ shape: [], name: 'penalty' })
  const inputs = constant([
    [1, 2],
    [2, 0.5],
    [-1, 1],
    [0.3, -2],
  ])
  const targets = constant([[1], [2], [-2], [0.5]])
  const unseen = constant([
    [1.5, -1],
    [0.2, 0.8],
  ])
  const expected = constant([[1.9], [-0.4]])
  const error = (x: Tensor, y: Tensor, weights: Tensor): Tensor => mean(square(sub(matmul(x, weights), y)))
  return unroll({
    initial: [constant([[0.1], [-0.2]])],
    steps: 5,
    loss: ([weights]) => add(error(inputs, targets, weights!), mul(penalty, sum(square(weights!)))),
    update: (weights, gradient) => sub(weights, mul(rate, gradient)),
    validation: ([weights]) => error(unseen, expected, weights!),
    by: { rate, penalty },
  })
}

describe('unroll', () => {
  it('differentiates what a training comes to by its hyper-parameters', async () => {
    const { validation, gradients, parameters } = ridge()
    await using session = new Session()
    const feed = (rate: number, penalty: number) => ({
      rate: ndarray(rate, 'float32'),
      penalty: ndarray(penalty, 'float32'),
    })
    const at = async (rate: number, penalty: number) =>
      (await session.run(validation, feed(rate, penalty))).item() as number
    const found = await session.run(gradients, feed(0.1, 0.3))
    const h = 1e-3
    const byRate = ((await at(0.1 + h, 0.3)) - (await at(0.1 - h, 0.3))) / (2 * h)
    const byPenalty = ((await at(0.1, 0.3 + h)) - (await at(0.1, 0.3 - h))) / (2 * h)
    expect(found.rate.item()).toBeCloseTo(byRate, 2)
    expect(found.penalty.item()).toBeCloseTo(byPenalty, 3)
    expect(Math.abs(byRate)).toBeGreaterThan(0.1)
    expect(parameters[0]!.shape).toEqual([2, 1])
  })

  it('refuses what is no training', () => {
    const w = constant([1, 2])
    const settings = {
      initial: [w],
      steps: 1,
      update: sub,
      validation: ([x]: readonly Tensor[]) => sum(x!),
      by: {},
    }
    expect(() => unroll({ ...settings, loss: ([x]) => x! })).toThrow(
      'the loss must be a scalar, it has the shape [2]',
    )
    expect(() => unroll({ ...settings, steps: 0, loss: ([x]) => sum(x!) })).toThrow('whole number from 1')
    expect(() => unroll({ ...settings, initial: [], loss: () => sum(w) })).toThrow('no parameters')
  })
})
