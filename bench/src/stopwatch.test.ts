import { describe, expect, it } from 'vitest'
import { stopwatch } from './stopwatch.ts'

describe('a stopwatch', () => {
  it('never tells more than the clock, and goes on', () => {
    const start = performance.now()
    const elapsed = stopwatch()
    while (performance.now() - start < 5);
    const first = elapsed()
    expect(first).toBeGreaterThan(0)
    expect(first).toBeLessThanOrEqual(performance.now() - start)
    expect(elapsed()).toBeGreaterThanOrEqual(0)
  })
})
