import { describe, expect, it } from 'vitest'
import type { Comparison } from './compare.ts'
import { exactly } from './quantity.ts'
import { svg } from './report/charts.ts'
import { comparisonTable, digits, targetTable } from './report/tables.ts'
import { meets, targets } from './targets.ts'
import { works } from './work.ts'

const comparison = (name: string, times: { readonly [contender: string]: number }): Comparison => ({
  work: works.find((work) => work.name === name)!,
  samples: new Map(Object.entries(times).map(([contender, ms]) => [contender, [ms, ms]])),
  faults: new Map(),
  tooSlow: [],
})
const target = (says: string) => targets.find((each) => each.says === says)!

describe('targets', () => {
  it('name works that there are', () => {
    const everything = works.map(({ name }) =>
      comparison(name, {
        shoal: 1,
        'fma peak': 1,
        'multiply+add peak': 1,
        'memory.copy': 1,
        'tfjs-wasm': 1,
        'onnxruntime-web': 1,
        'onnxruntime-node': 1,
        pytorch: 1,
        'shoal, strict': 1,
        'shoal, 2 threads': 1,
        'shoal, BLAS': 1,
        'shoal, int8': 1,
        'shoal, plain matmul': 1,
        'shoal, matmul rate': 1,
      }),
    )
    const read = (says: string): number =>
      target(says).read({ comparisons: everything, quantities: [] }).length
    expect(read('64 to 512, of the FMA peak')).toBe(4)
    expect(read('transposed forms, of the plain one')).toBe(6)
    expect(read('to the filter, of the matmul rate')).toBe(3)
    expect(read('two threads, as fast as one')).toBe(3)
  })
  it('take the fastest of the JavaScript peers', () => {
    const results = {
      comparisons: [comparison('train-mlp-32', { shoal: 2, 'jax-js': 5, 'tfjs-wasm': 40, pytorch: 1 })],
      quantities: [],
    }
    expect(target('MLP, batch 32').read(results)).toEqual([{ of: 'train-mlp-32', value: 2.5 }])
    expect(targetTable([target('MLP, batch 32')], results).at(-1)).toBe(
      '| training, best JavaScript peer | MLP, batch 32 | ≥ 3 × | train-mlp-32 2.50 × | **no** |',
    )
  })
  it('read quantities, and say what was not measured', () => {
    const says = 'accuracy after 5 epochs'
    const quantity = { name: 'Fashion-MNIST accuracy', title: '', unit: '', value: exactly(0.88) }
    expect(targetTable([target(says)], { comparisons: [], quantities: [quantity] }).at(-1)).toMatch(
      /0\.88 \| yes/,
    )
    expect(targetTable([target(says)], { comparisons: [], quantities: [] }).at(-1)).toMatch(/not measured/)
  })
  it('are met from both sides', () => {
    expect([meets({ atLeast: 2 }, 2), meets({ atLeast: 2 }, 1.9)]).toEqual([true, false])
    expect([meets({ atMost: 2 }, 2), meets({ atMost: 2 }, 2.1)]).toEqual([true, false])
  })
})

describe('tables and charts', () => {
  it('tell how many times as long others take', () => {
    const rows = comparisonTable([comparison('matmul-64', { shoal: 0.5, pytorch: 0.25 })])
    expect(rows.at(-1)).toBe('| matmul 64 | 0.50 | 1.05 GFLOP/s | 0.50 |')
  })
  it('give three digits', () => {
    expect([1234, 12.34, 1.234, 0.01234].map(digits)).toEqual(['1234', '12.3', '1.23', '0.012'])
  })
  it('draw a bar for each contender, the longest over the whole width', () => {
    const chart = svg({
      title: 'a < b',
      axis: 'more',
      groups: [
        {
          label: 'one',
          bars: [
            { name: 'shoal', value: exactly(4) },
            { name: 'pytorch', value: exactly(1) },
          ],
        },
      ],
    })
    const widths = [...chart.matchAll(/width="([\d.]+)" height="11"/g)].map(([, width]) => Number(width))
    expect(widths).toEqual([440, 110])
    expect(chart).toContain('a &lt; b')
  })
})
