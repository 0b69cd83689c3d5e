import { describe, expect, it } from 'vitest'
import { ModuleBuilder } from '../wasm/index.ts'
import { unitLength, unitsFor } from './division.ts'
import { type MatmulSpec, planMatmul } from './index.ts'

/** Units of the last stage of a product that is planned for so many threads. */
function unitsOf(spec: MatmulSpec, threads?: number): number {
  const module = new ModuleBuilder()
  module.importMemory({ module: 'env', name: 'memory', initial: 1 })
  return planMatmul(spec, { relaxed: false, threads }).write(module).at(-1)!.units
}

describe('the division of products', () => {
  it('wants several units for each thread, and none that is hardly worth handing over', () => {
    expect(unitsFor(1, 1e9)).toBe(1)
    expect(unitsFor(2, 1e9)).toBe(8)
    expect(unitsFor(4, 1e9, 2)).toBe(8)
    expect(unitsFor(4, 3e5)).toBe(2)
    expect(unitsFor(4, 1000)).toBe(1)
  })

  it('makes units of whole steps, no longer than suits a thread', () => {
    expect(unitLength(256, 4, 256, 64)).toBe(64)
    expect(unitLength(250, 3, 256, 12)).toBe(84)
    expect(unitLength(1000, 2, 256, 64)).toBe(256)
    expect(unitLength(10, 4, 30, 6)).toBe(6)
    expect(unitLength(0, 4, 30, 6)).toBe(6)
  })

  it.each<[string, MatmulSpec]>([
    ['of a dense layer', { m: 32, n: 256, k: 3136 }],
    ['of a smaller one', { m: 32, n: 256, k: 512 }],
    ['of its gradient by the input', { m: 32, n: 784, k: 256, transposeB: true }],
    ['of its gradient by the weights', { m: 784, n: 256, k: 32, transposeA: true }],
    ['of a large batch', { m: 128, n: 256, k: 512 }],
    ['of one row', { m: 1, n: 512, k: 784 }],
  ])('gives each of four threads a share %s', (_, spec) => {
    expect(unitsOf(spec, 4)).toBeGreaterThanOrEqual(4)
    expect(unitsOf(spec, 4)).toBeGreaterThanOrEqual(unitsOf(spec, 2))
    expect(unitsOf(spec, 1)).toBe(unitsOf(spec))
  })

  it('leaves small products whole', () => {
    expect(unitsOf({ m: 32, n: 64, k: 32 }, 4)).toBe(1)
    expect(unitsOf({ m: 20, n: 20, k: 20 }, 4)).toBe(1)
  })
})
