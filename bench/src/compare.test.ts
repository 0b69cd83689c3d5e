import { describe, expect, it } from 'vitest'
import { Comparator } from './compare.ts'
import type { Contender } from './contender.ts'
import type { Task, Work } from './work.ts'

const work = (task: Task, flops = 1): Work =>
  ({ ...task, name: task.kind, title: task.kind, flops, bytes: 0 }) as Work
const product = work({ kind: 'adds', length: 3 })

const contender = (name: string, answer: number, ms: number, log: string[] = []): Contender => ({
  name,
  version: name,
  prepare: async () => ({
    async sample() {
      log.push(name)
      return ms
    },
    result: async () => Float32Array.of(answer),
    close: async () => undefined,
  }),
})

describe('a comparison', () => {
  const patience = { work: 0, run: 1_000, warmUp: 3_000 }

  it('leaves out and names whoever fails, and goes on', async () => {
    const failing: Contender = {
      name: 'failing',
      version: '',
      prepare: async () => {
        throw new Error('there is no adapter')
      },
    }
    const compared = await new Comparator([failing, contender('good', 4, 500)], patience).compare(product)
    expect([...compared.samples.keys()]).toEqual(['good'])
    expect(compared.faults.get('failing')).toMatch(/did not come: .*no adapter/)
  })

  it('takes samples in turn', async () => {
    const log: string[] = []
    const compared = await new Comparator(
      [contender('a', 4, 500, log), contender('b', 4, 500, log)],
      patience,
    ).compare(product)
    expect(log.slice(-4)).not.toEqual(['a', 'a', 'b', 'b'])
    expect(compared.samples.get('a')!.filter((ms) => ms !== undefined)).toEqual([500, 500, 500])
    expect(compared.samples.get('a')!.length).toBe(compared.samples.get('b')!.length)
  })
  it('warms up and repeats what is quick, however long its first run took', async () => {
    const asked: number[] = []
    const compiling: Contender = {
      ...contender('compiling', 4, 0),
      prepare: async () => ({
        async sample(repeats) {
          asked.push(repeats)
          return asked.length === 1 ? 60_000 : 0.5
        },
        result: async () => Float32Array.of(4),
        close: async () => undefined,
      }),
    }
    const { samples } = await new Comparator([compiling], patience).compare(product)
    expect(samples.get('compiling')).toEqual(Array.from({ length: 5 }, () => 0.5))
    // A batch of 150 ms as often as it takes to be steady, then samples of 4 ms.
    expect(asked).toEqual([1, 1, 300, 300, 300, 8, 8, 8, 8, 8])
  })
  it('leaves out who answers otherwise than the reference device', async () => {
    const { samples, faults } = await new Comparator(
      [contender('right', 4, 500), contender('wrong', 5, 500)],
      patience,
    ).compare(product)
    expect([...samples.keys()]).toEqual(['right'])
    expect(faults.get('wrong')).toBe('is 5 at 0 where 4 is expected')
  })
  it('leaves out who would take too long, by how long the last work took', async () => {
    const comparator = new Comparator([contender('slow', 4, 500), contender('quick', 4, 450)], patience)
    await comparator.compare(product)
    const { samples, tooSlow } = await comparator.compare({ ...product, flops: 2.1 })
    expect([...samples.keys()]).toEqual(['quick'])
    expect(tooSlow).toEqual(['slow'])
  })
})
