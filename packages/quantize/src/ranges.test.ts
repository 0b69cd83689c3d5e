import { NDArray, placeholder, Session } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { rangesOf } from './ranges.ts'

const x = placeholder({ shape: ['batch'], name: 'x' })
const batch = (...numbers: number[]) => ({
  x: new NDArray('float32', [numbers.length], Float32Array.from(numbers)),
})

describe('the range of a tensor', () => {
  it('is that of all values, or of all but the rarest', async () => {
    await using session = new Session()
    const spiked = [batch(...Array<number>(199).fill(1), 50), batch(-1, 3)]
    expect(await rangesOf([x], session, spiked)).toEqual([{ low: -1, high: 50 }])
    expect(await rangesOf([x], session, spiked, { percentile: 99 })).toEqual([{ low: 0, high: 2 }])
  })

  it('is refused for NaN, however rare', async () => {
    await using session = new Session()
    const rare = [batch(...Array<number>(199).fill(1), NaN)]
    for (const percentile of [99, 100])
      await expect(rangesOf([x], session, rare, { percentile })).rejects.toThrow(
        'x that are no finite numbers',
      )
  })

  it('is not looked for in empty batches', async () => {
    await using session = new Session()
    for (const percentile of [99, 100]) {
      expect(await rangesOf([x], session, [batch(), batch(2, 3)], { percentile })).toEqual([
        { low: 2, high: 3 },
      ])
      await expect(rangesOf([x], session, [batch()], { percentile })).rejects.toThrow('not empty')
    }
  })
})
