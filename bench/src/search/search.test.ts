import { describe, expect, it } from 'vitest'
import { testFunctions } from './functions.ts'
import { contestants, findings } from './studies.ts'
import { findingOf, medianOf, searchTargets } from './targets.ts'

/** Where each function is least: Surjanovic and Bingham 2013. */
const minima: Readonly<Record<string, readonly (readonly number[])[]>> = {
  Branin: [
    [-Math.PI, 12.275],
    [Math.PI, 2.275],
    [3 * Math.PI, 2.475],
  ],
  Hartmann6: [[0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573]],
  'Ackley-5': [[0, 0, 0, 0, 0]],
  'Rosenbrock-2': [[1, 1]],
  'six-hump camel': [
    [0.0898, -0.7126],
    [-0.0898, 0.7126],
  ],
}

describe('the functions', () => {
  it.each(testFunctions.map((f) => [f.name, f] as const))('%s is least where it should be', (name, f) => {
    for (const x of minima[name]!) expect(f.at(x)).toBeCloseTo(f.least, 4)
    for (const x of minima[name]!) expect(f.at(x.map((each) => each + 0.1))).toBeGreaterThan(f.least)
  })
})

describe('targets', () => {
  it('speak of what is measured', () => {
    for (const { contestant, of, count } of searchTargets) {
      expect(contestants.find(({ name }) => name === contestant)?.counts).toContain(count)
      expect(testFunctions.map(({ name }) => name)).toContain(of)
    }
  })

  it('are read from what was found', async () => {
    const found = await findings((name) => name === 'CMA-ES', { seeds: 3, most: 10 })
    const finding = findingOf({ contestant: 'CMA-ES', of: 'Branin', count: 10, atMost: 0 }, found)!
    expect(finding.bests.length).toBe(3)
    expect(medianOf(finding)).toBe(finding.bests.toSorted((a, b) => a - b)[1])
    expect(medianOf(finding)).toBeGreaterThan(finding.of.least)
  })
})
