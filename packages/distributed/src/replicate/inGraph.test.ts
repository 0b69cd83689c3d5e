// Towers on several devices, as one machine.
import { GradientError, mean, mul, placeholder, reference, Session, square, sub, variable } from '@shoal/core'
import { momentum } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import { replicate } from './inGraph.ts'
import { buildModel, examples, lossOf, makeWeights, relativeError } from './testModel.ts'

describe('replicate', () => {
  it('trains towers of uneven shares as one machine does with all examples', async () => {
    const bounds = [0, 3, 10, 16]
    const weights = makeWeights()
    const shares = [0, 1, 2].map((i) => ({
      x: placeholder({ shape: [`n${i}`, 2], name: `x${i}` }),
      words: placeholder({ shape: [`n${i}`], dtype: 'int32', name: `words${i}` }),
      y: placeholder({ shape: [`n${i}`, 1], name: `y${i}` }),
    }))
    const devices = ['reference:0', 'reference:1', 'reference:2']
    const { loss, losses, gradients } = replicate(devices, (i) => ({
      loss: lossOf(weights, shares[i]!),
      examples: bounds[i + 1]! - bounds[i]!,
    }))
    expect(losses.map(({ node }) => node.device)).toEqual(devices.map((name) => `/device:${name}`))
    const train = momentum({ learningRate: 0.1 }).apply(gradients)
    await using session = new Session({ devices: [reference(), reference(), reference()] })
    await session.initialize(train)
    await using alone = new Session()
    const whole = buildModel()
    const step = momentum({ learningRate: 0.1 }).apply(whole.pairs)
    await alone.initialize(step)
    for (let i = 0; i < 20; i++) {
      const all = await alone.run([whole.loss, step], examples(i, 0, 16))
      const feeds = shares.flatMap((_, k) =>
        Object.entries(examples(i, bounds[k]!, bounds[k + 1]!)).map(
          ([name, value]) => [`${name}${k}`, value] as const,
        ),
      )
      const parts = await session.run([loss, train], Object.fromEntries(feeds))
      expect(parts[0].number()).toBeCloseTo(all[0].number(), 5)
    }
    expect(relativeError(await session.run(weights), await alone.run(whole.weights))).toBeLessThan(1e-5)
  })

  it('refuses towers of different variables', () => {
    const towers = [0, 1].map((i) => variable([1], { name: `w${i}` }))
    const build = (i: number) => ({ loss: mean(square(sub(mul(towers[i]!, 2), 1))) })
    expect(() => replicate(['reference:0', 'reference:1'], build)).toThrow(GradientError)
    expect(() => replicate([], build)).toThrow('name at least one device')
  })
})
