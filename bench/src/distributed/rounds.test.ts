import { describe, expect, it } from 'vitest'
import { inTurn } from './rounds.ts'

describe('rounds', () => {
  it('give everybody a sample in turn, as long as was asked for, after a warm-up', async () => {
    const order: string[] = []
    const sampler = (name: string, ms: number) => async (repeats: number) => {
      order.push(`${name} ${repeats}`)
      return { ms, cpuMs: 2 * ms }
    }
    const samplers = new Map([
      ['quick', sampler('quick', 1)],
      ['slow', sampler('slow', 100)],
    ])
    const samples = await inTurn(samplers, { rounds: 2, sampleMs: 20, warmUpMs: 50 })
    expect(order.slice(-4)).toEqual(['quick 20', 'slow 1', 'quick 20', 'slow 1'])
    const warmUp = order.slice(0, -4)
    expect(warmUp.slice(0, 3)).toEqual(['quick 1', 'quick 1', 'quick 13'])
    expect(warmUp.slice(-3)).toEqual(['slow 1', 'slow 1', 'slow 1'])
    expect([...samples]).toEqual([
      [
        'quick',
        [
          { ms: 1, cpuMs: 2 },
          { ms: 1, cpuMs: 2 },
        ],
      ],
      [
        'slow',
        [
          { ms: 100, cpuMs: 200 },
          { ms: 100, cpuMs: 200 },
        ],
      ],
    ])
  })
})
