// Replicas that train alone and meet every so many steps.
import type { NDArray } from '@shoal/core'
import { constant, NDArray as Values, Session, variable } from '@shoal/core'
import { gradientDescent } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import type { AllReduce } from './localSgd.ts'
import { LocalSgd } from './localSgd.ts'
import { buildModel, examples, relativeError } from './testModel.ts'

/** Replicas of one process: the last one to come makes the mean for all. */
function meeting(count: number): AllReduce {
  const rounds = new Map<
    string,
    { readonly given: (readonly NDArray[])[]; readonly done: PromiseWithResolvers<readonly NDArray[]> }
  >()
  return {
    allReduce(key, arrays) {
      const round = rounds.get(key) ?? { given: [], done: Promise.withResolvers<readonly NDArray[]>() }
      rounds.set(key, round)
      round.given.push(arrays)
      if (round.given.length === count) {
        rounds.delete(key)
        round.done.resolve(
          arrays.map(({ dtype, shape }, i) => {
            const sums = round.given.map((one) => one[i]!.numbers())
            const mean = sums[0]!.map((_, k) => sums.reduce((total, one) => total + one[k]!, 0) / count)
            return new Values(dtype as 'float32', shape, Float32Array.from(mean))
          }),
        )
      }
      return round.done.promise
    },
  }
}

describe('local SGD', () => {
  it('averages what replicas learned in so many steps: every step, it is what one machine does', async () => {
    const train = async (every: number, i: number, replicas: AllReduce): Promise<NDArray[]> => {
      await using session = new Session()
      const { weights, pairs } = buildModel()
      const step = gradientDescent({ learningRate: 0.1 }).apply(pairs)
      await session.initialize(step)
      const local = new LocalSgd({ variables: weights, every, replicas })
      await local.begin({ session })
      for (let k = 0; k < 12; k++) {
        await session.run(step, examples(k, 8 * i, 8 * i + 8))
        await local.afterRun({ session })
      }
      return await session.run(weights)
    }
    await using session = new Session()
    const { weights, pairs } = buildModel()
    const step = gradientDescent({ learningRate: 0.1 }).apply(pairs)
    await session.initialize(step)
    for (let k = 0; k < 12; k++) await session.run(step, examples(k, 0, 16))
    const expected = await session.run(weights)
    const errors: number[] = []
    for (const every of [1, 4]) {
      const replicas = meeting(2)
      const [a, b] = await Promise.all([train(every, 0, replicas), train(every, 1, replicas)])
      expect(a.map((x) => x.toArray())).toEqual(b.map((x) => x.toArray()))
      errors.push(relativeError(a, expected))
    }
    expect(errors[0]).toBeLessThan(1e-5)
    // Gradients at other places than those of one machine: near it, not at it.
    expect(errors[1]).toBeGreaterThan(1e-5)
    expect(errors[1]).toBeLessThan(0.1)
  })

  it('goes on with an outer momentum, as Nesterov does', async () => {
    await using session = new Session()
    const w = variable([10, 20], { name: 'w' })
    await session.initialize(w)
    const local = new LocalSgd({
      variables: [w],
      every: 2,
      replicas: meeting(1),
      outerMomentum: 0.5,
      outerRate: 0.8,
    })
    await local.begin({ session })
    let [x, v] = [10, 0]
    for (let round = 0; round < 3; round++) {
      for (let k = 0; k < 2; k++) {
        await session.run(w.assignSub(constant([1, 1])))
        await local.afterRun({ session })
      }
      v = 0.5 * v + 2
      x -= 0.8 * (2 + 0.5 * v)
      const [first, second] = (await session.run(w)).numbers() as [number, number]
      expect(first).toBeCloseTo(x, 5)
      expect(second - first).toBeCloseTo(10, 5)
    }
  })

  it('goes on to the bit after a restart in the middle of a round, with a velocity', async () => {
    /** Trains from step to step, from what a checkpoint holds if there is one, and answers what the next one holds. */
    const train = async (
      [from, to]: readonly [number, number],
      i: number,
      replicas: AllReduce,
      restored?: readonly NDArray[],
    ): Promise<readonly NDArray[]> => {
      await using session = new Session()
      const { weights, pairs } = buildModel()
      const step = gradientDescent({ learningRate: 0.1 }).apply(pairs)
      const local = new LocalSgd({
        variables: weights,
        every: 4,
        replicas,
        outerMomentum: 0.9,
        outerRate: 0.7,
      })
      const saved = [...weights, ...local.variables]
      await session.initialize(step)
      if (restored) for (const [k, v] of saved.entries()) await session.write(v, restored[k]!)
      await local.begin({ session })
      for (let k = from; k < to; k++) {
        await session.run(step, examples(k, 8 * i, 8 * i + 8))
        await local.afterRun({ session })
      }
      return await session.run(saved)
    }
    const both = (
      steps: readonly [number, number],
      restored: readonly (readonly NDArray[])[] = [],
    ): Promise<(readonly NDArray[])[]> => {
      const replicas = meeting(2)
      return Promise.all([0, 1].map((i) => train(steps, i, replicas, restored[i])))
    }
    const whole = await both([0, 15])
    const resumed = await both([10, 15], await both([0, 10]))
    expect(resumed.map((values) => values.map((a) => a.toArray()))).toEqual(
      whole.map((values) => values.map((a) => a.toArray())),
    )
    // The velocity counts: without it the end is another one.
    const [weights] = await both(
      [10, 15],
      (await both([0, 10])).map((values) => withoutVelocity(values)),
    )
    expect(weights![0]!.toArray()).not.toEqual(whole[0]![0]!.toArray())
  })

  it('refuses what it cannot average', () => {
    const options = { every: 1, replicas: meeting(1) }
    const count = variable(0, { name: 'count', dtype: 'int32' })
    expect(() => new LocalSgd({ ...options, variables: [count] })).toThrow("'count' is int32")
    expect(() => new LocalSgd({ ...options, variables: [], outerMomentum: 1 })).toThrow('must be below 1')
    expect(() => new LocalSgd({ ...options, variables: [], every: 0 })).toThrow('every')
  })
})

/** Saved values with zeros in the place of the velocities: weights, the counter, then anchors and velocities in turn. */
function withoutVelocity(saved: readonly NDArray[]): readonly NDArray[] {
  const count = (saved.length - 1) / 3
  return saved.map((value, i) =>
    i > count && (i - count) % 2 === 0
      ? new Values('float32', value.shape, new Float32Array(value.size))
      : value,
  )
}
