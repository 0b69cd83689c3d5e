import { describe, expect, it } from 'vitest'
import { ModuleBuilder } from '../wasm/index.ts'
import { emitMatmul, type MatmulOptions, type MatmulSpec } from './index.ts'

/** Numbers of a linear congruential generator, in [-1, 1). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  }
}

const pageBytes = 65536

/** Addresses of arrays of these sizes; the first one ends where the memory ends, so that reading beyond it traps. */
function place(sizes: readonly number[], bytes: number) {
  const guard = 64
  const total = sizes.reduce((sum, size) => sum + size * bytes + guard, 0)
  const pages = Math.ceil(total / pageBytes)
  let end = pages * pageBytes
  const addresses = sizes.map((size) => {
    const start = end - size * bytes
    end = Math.floor((start - guard) / 16) * 16
    return start
  })
  return { pages: pages + 1, addresses: addresses.map((address) => address + pageBytes) }
}

/** Computes the product in WebAssembly, in the given shares, and in a plain triple loop; answers both. */
function product(spec: MatmulSpec, options: MatmulOptions, cuts: readonly number[] = [], seed = 1) {
  const { m, n, k, transposeA = false, transposeB = false, element = 'f32' } = spec
  const { lda = transposeA ? m : k, ldb = transposeB ? k : n, ldc = n } = spec
  const bytes = element === 'f32' ? 4 : 8
  const module = new ModuleBuilder()
  const { pack, packUnits, run, panels, workspaceBytes } = emitMatmul(module, spec, options)
  const extent = (rows: number, columns: number, stride: number) =>
    rows === 0 || columns === 0 ? 0 : (rows - 1) * stride + columns
  const aSize = transposeA ? extent(k, m, lda) : extent(m, k, lda)
  const bSize = transposeB ? extent(n, k, ldb) : extent(k, n, ldb)
  const cSize = extent(m, n, ldc)
  // The operand that is read by vectors lies at the end of the memory.
  const sizes = [
    transposeA ? aSize : bSize,
    transposeA ? bSize : aSize,
    cSize,
    Math.ceil((workspaceBytes + 64) / bytes),
  ]
  const { pages, addresses } = place(sizes, bytes)
  const [lastAt = 0, otherAt = 0, cAt = 0, workspaceAt = 0] = addresses
  const [aAt, bAt] = transposeA ? [lastAt, otherAt] : [otherAt, lastAt]
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: pages })
  if (pack) module.export(pack, 'pack')
  module.export(run, 'run')
  const instance = new WebAssembly.Instance(module.compile(), { env: { memory } })
  const exports = instance.exports as Record<string, (...numbers: number[]) => void>

  const Elements = element === 'f32' ? Float32Array : Float64Array
  const all = new Elements(memory.buffer)
  all.fill(Number.NaN)
  const view = (address: number, size: number) => new Elements(memory.buffer, address, size)
  const [c, a, b] = [view(cAt, cSize), view(aAt, aSize), view(bAt, bSize)]
  const next = random(seed)
  for (const array of [a, b, c]) for (let i = 0; i < array.length; i++) array[i] = next()
  const before = c.slice()

  const inShares = (name: string, units: number) => {
    const bounds = [0, ...cuts.map((cut) => Math.floor(cut * units)), units]
    // Last share first: nothing may depend on the order.
    for (let i = bounds.length - 2; i >= 0; i--)
      exports[name]?.(
        aAt,
        bAt,
        cAt,
        Math.ceil(workspaceAt / 64) * 64,
        bounds[i] as number,
        bounds[i + 1] as number,
      )
  }
  if (pack) inShares('pack', packUnits)
  inShares('run', panels)

  const expected = before.slice()
  let worst = 0
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = spec.accumulate ? (before[i * ldc + j] as number) : 0
      let scale = Math.abs(sum)
      for (let p = 0; p < k; p++) {
        const x = (transposeA ? a[p * lda + i] : a[i * lda + p]) as number
        const y = (transposeB ? b[j * ldb + p] : b[p * ldb + j]) as number
        sum += x * y
        scale += Math.abs(x * y)
      }
      expected[i * ldc + j] = sum
      const difference = Math.abs((c[i * ldc + j] as number) - sum)
      // NaN must count as wrong.
      worst = difference <= 0 ? worst : Math.max(worst, difference / scale || Infinity)
    }
  const outside = [...c.keys()].filter((at) => at % ldc >= n && c[at] !== before[at])
  const guards = c.length > 0 ? [all[cAt / bytes - 1], all[cAt / bytes + c.length]] : []
  return { worst, outside, guards, values: c.slice(), tolerance: element === 'f32' ? 2e-6 : 1e-14 }
}

const forms = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
]
const shapes: [m: number, n: number, k: number][] = [
  ...[1, 2, 3, 4, 5, 7].flatMap((m) => [1, 3, 6, 13].map((n): [number, number, number] => [m, n, 9])),
  [1, 1, 1],
  [1, 10, 300],
  [10, 1, 300],
  [37, 50, 52],
  [64, 64, 64],
  [33, 17, 1],
  [129, 35, 261],
  [70, 130, 77],
]

describe.each(['f32', 'f64'] as const)('emitMatmul of %s', (element) => {
  for (const form of forms)
    it(`agrees with a triple loop, A${form.transposeA ? ' transposed' : ''} by B${form.transposeB ? ' transposed' : ''}`, () => {
      for (const [m, n, k] of shapes)
        for (const relaxed of [false, true]) {
          const { worst, guards, tolerance } = product({ element, m, n, k, ...form }, { relaxed })
          expect(worst, `${m}x${n}x${k} ${relaxed}`).toBeLessThan(tolerance)
          expect(guards.every(Number.isNaN), `${m}x${n}x${k} wrote outside`).toBe(true)
        }
    })

  it('keeps to the strides of its operands and leaves the gaps of C alone', () => {
    for (const form of forms)
      for (const accumulate of [false, true]) {
        const spec = { element, m: 19, n: 30, k: 290, lda: 301, ldb: 303, ldc: 37, accumulate, ...form }
        const { worst, outside, tolerance } = product(spec, { relaxed: true })
        expect(worst).toBeLessThan(tolerance)
        expect(outside).toEqual([])
      }
  })

  it('gives the same bits however the panels are divided', () => {
    for (const form of forms)
      for (const [m, n, k] of [
        [61, 45, 300],
        [100, 84, 40],
        [5, 200, 30],
      ] as const) {
        // Adding shows a panel that is computed twice.
        const spec = { element, m, n, k, accumulate: true, ...form }
        const { values } = product(spec, { relaxed: true })
        for (const cuts of [[0.5], [0.1, 0.35, 0.9], [0, 0, 1]])
          expect(product(spec, { relaxed: true }, cuts).values).toEqual(values)
      }
  })

  it('is right for sizes of zero', () => {
    for (const form of forms) {
      expect([...product({ element, m: 3, n: 5, k: 0, ...form }, { relaxed: false }).values]).toEqual(
        Array(15).fill(0),
      )
      expect(product({ element, m: 0, n: 5, k: 4, ...form }, { relaxed: false }).values).toHaveLength(0)
      expect(product({ element, m: 3, n: 0, k: 4, ...form }, { relaxed: false }).values).toHaveLength(0)
      const kept = product({ element, m: 2, n: 2, k: 0, accumulate: true, ...form }, { relaxed: false })
      expect(kept.worst).toBe(0)
    }
  })

  it('works with any register block', () => {
    for (const form of forms)
      for (let rows = 1; rows <= 8; rows++)
        for (let vectors = 1; vectors <= 6; vectors++) {
          const spec = { element, m: 17, n: 53, k: 21, ...form }
          const { worst, tolerance } = product(spec, { relaxed: false, tile: { rows, vectors } })
          expect(worst, `${rows}x${vectors}`).toBeLessThan(tolerance)
        }
  })
})

describe('emitMatmul', () => {
  it('goes over many groups of columns and blocks of k', () => {
    const { worst, tolerance } = product({ m: 7, n: 1100, k: 600, transposeB: true }, { relaxed: true })
    expect(worst).toBeLessThan(tolerance)
  })
})
