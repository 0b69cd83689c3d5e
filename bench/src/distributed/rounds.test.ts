import { describe, expect, it } from 'vitest'
import { inTurn } from './rounds.ts'

describe('rounds', () => {
  it('give everybody a sample in turn, after a warm-up, with the processor time of each', async () => {
    const order: string[] = []
    let cpuMs = 0
    const run = (name: string, costMs: number) => async (): Promise<void> => {
      order.push(name)
      cpuMs += costMs
    }
    const runs = new Map([
      ['a', run('a', 2)],
      ['b', run('b', 6)],
    ])
    const patience = { rounds: 3, sampleMs: 0, warmUpMs: 0 }
    // No sample is long enough for a second run: each is one.
    const samples = await inTurn(runs, async () => cpuMs, patience)
    expect([...samples.keys()]).toEqual(['a', 'b'])
    expect(order.slice(4)).toEqual(['a', 'b', 'a', 'b', 'a', 'b'])
    expect(samples.get('a')!.map((spent) => spent.cpuMs)).toEqual([2, 2, 2])
    expect(samples.get('b')!.map((spent) => spent.cpuMs)).toEqual([6, 6, 6])
    expect(samples.get('a')!.every(({ ms }) => ms >= 0)).toBe(true)
  })
})
