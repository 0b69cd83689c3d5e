import { describe, expect, it } from 'vitest'
import { countWire } from './counts.ts'

describe('the counts of calls', () => {
  it('are the same each time', async () => {
    expect(await countWire()).toEqual(await countWire())
  })

  it('show that what travels beside a tensor hardly grows with it', async () => {
    const found = await countWire()
    expect(Object.keys(found)).toEqual(['echo', 'push', 'pull-4kib', 'pull-64kib', 'pull-1mib', 'pull-4mib'])
    const small = found['pull-4kib']!
    const large = found['pull-4mib']!
    // A header for each chunk, filled up to where the chunk is aligned, and an acknowledgement for each MiB.
    expect(large.answering - small.answering).toBe(7 * 64)
    expect(large.asking - small.asking).toBeLessThanOrEqual(5 * 20)
  })
})
