// Members by other means than other networks: bags of the data, and snapshots of one training.
import { mul, placeholder, Session, variable } from '@shoal/core'
import { Dataset } from '@shoal/data'
import { describe, expect, it } from 'vitest'
import { gradientDescent } from '../optimizers/gradientDescent.ts'
import { cosineDecayRestarts } from '../schedules.ts'
import { train } from '../train.ts'
import { bag } from './bag.ts'
import { snapshots } from './snapshots.ts'

const range = (size: number): Dataset<number> => Dataset.from(Array.from({ length: size }, (_, i) => i))

describe('bag', () => {
  it('draws as many elements as there are, with replacement, by its seed alone', async () => {
    const [first, second] = [bag(range(1000), { seed: 1 }), bag(range(1000), { seed: 2 })]
    const elements = await first.toArray()
    expect([first.size, elements.length]).toEqual([1000, 1000])
    expect(await first.toArray()).toEqual(elements)
    expect(await bag(range(1000), { seed: 1 }).toArray()).toEqual(elements)
    expect(await second.toArray()).not.toEqual(elements)
    // 1 - 1/e of the elements, 632 of 1000, are expected in it; ten standard deviations, of 10, on either side.
    const distinct = new Set(elements).size
    expect(Math.abs(distinct - 632)).toBeLessThan(100)
    expect(Math.max(...elements)).toBeLessThan(1000)
  })

  it('has the same elements in each epoch of a dataset that is shuffled anew', async () => {
    const bagged = bag(range(50).shuffle({ seed: 3 }), { seed: 1 })
    expect(await bagged.toArray()).toEqual(await bagged.toArray())
    const shuffled = bagged.shuffle({ seed: 3 })
    const sorted = (xs: readonly number[]) => xs.toSorted((a, b) => a - b)
    const [one, other] = [await shuffled.toArray(), await shuffled.toArray()]
    expect(one).not.toEqual(other)
    expect(sorted(one)).toEqual(sorted(other))
  })

  it('can be entered at any element', async () => {
    const bagged = bag(range(20), { seed: 4 })
    const all = await bagged.toArray()
    for (const from of [0, 7, 20]) expect(await bagged.toArray({ from })).toEqual(all.slice(from))
    expect(await bag(range(0), { seed: 1 }).toArray()).toEqual([])
  })

  it('needs a size and a seed', () => {
    expect(() =>
      bag(
        range(3).filter(() => true),
        { seed: 1 },
      ),
    ).toThrow('whose size is known')
    expect(() => bag(range(3).repeat(), { seed: 1 })).toThrow('whose size is known')
    expect(() => bag(range(3), { seed: 0.5 })).toThrow('seed is 0.5')
  })
})

describe('snapshots', () => {
  /** Training of one weight; the models that were kept, and what the weight was after each step. */
  async function run(steps: number, options: { every: number; keep?: number }) {
    await using session = new Session()
    const x = placeholder({ shape: [], name: 'x' })
    const w = variable(1, { name: 'w' })
    const loss = mul(w, w)
    const learningRate = cosineDecayRestarts({ initial: 0.25, steps: options.every, lengthen: 1 })
    const step = gradientDescent({ learningRate }).minimize(loss)
    await session.initialize(step)
    const hook = snapshots({ outputs: { y: mul(w, x) }, ...options })
    const weights: number[] = []
    const watch = { afterRun: async () => void weights.push((await session.run(w)).item() as number) }
    const data = Dataset.from(Array.from({ length: steps }, () => 0))
    await train({ session, step, fetches: { loss }, data, feed: () => ({}), epochs: 1, hooks: [watch, hook] })
    return { models: hook.models, weights }
  }

  it('are the models at the end of each cycle', async () => {
    const { models, weights } = await run(11, { every: 4 })
    expect(models.map(({ metadata }) => metadata['step'])).toEqual(['4', '8'])
    expect(models.map(({ values }) => values.get('w')!.item())).toEqual([weights[3], weights[7]])
    expect(models[0]!.metadata['metrics']).toMatch(/^loss 0\.\d+$/)
  })

  it('are the last ones where not all are kept', async () => {
    const { models } = await run(9, { every: 2, keep: 2 })
    expect(models.map(({ metadata }) => metadata['step'])).toEqual(['6', '8'])
  })

  it('need whole numbers', () => {
    const outputs = { y: variable(1, { name: 'w' }).read() }
    expect(() => snapshots({ outputs, every: 0 })).toThrow('every is 0')
    expect(() => snapshots({ outputs, every: 1, keep: 1.5 })).toThrow('keep is 1.5')
    expect(() => snapshots({ outputs, every: Infinity })).toThrow('every is Infinity')
  })
})
