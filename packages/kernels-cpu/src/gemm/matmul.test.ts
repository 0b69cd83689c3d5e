import { describe, expect, it } from 'vitest'
import { ModuleBuilder } from '../wasm/index.ts'
import { type MatmulOptions, type MatmulSpec, planMatmul } from './index.ts'

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

interface How extends Partial<MatmulOptions> {
  /** Where each stage is cut, as shares of its units. */
  readonly cuts?: readonly number[]
  /** The operand that nothing follows. Default B. */
  readonly last?: 'a' | 'b'
}

/** Computes a product in WebAssembly; answers its elements, and those of a plain triple loop. */
function product(spec: MatmulSpec, { cuts = [], last = 'b', relaxed = true, ...options }: How = {}) {
  const { m, n, k, transposeA = false, transposeB = false, element = 'f32' } = spec
  const bytes = element === 'f32' ? 4 : 8
  const module = new ModuleBuilder()
  const { write, workspaceBytes, prepared } = planMatmul(spec, { relaxed, ...options })
  const stages = write(module)
  stages.forEach(({ func }, i) => module.export(func, `${i}`))
  const prepare = prepared?.write(module)
  if (prepare) module.export(prepare.func, 'prepare')
  const [aSize, bSize, cSize, scratch] = [m * k, k * n, m * n, Math.ceil((workspaceBytes + 64) / bytes)]
  const made = Math.ceil(((prepared?.bytes ?? 0) + 64) / bytes)
  const sizes = last === 'a' ? [aSize, bSize, cSize, scratch, made] : [bSize, aSize, cSize, scratch, made]
  const { pages, addresses } = place(sizes, bytes)
  const [lastAt = 0, otherAt = 0, cAt = 0, workspaceAt = 0, madeAt = 0] = addresses
  const [aAt, bAt] = last === 'a' ? [lastAt, otherAt] : [otherAt, lastAt]
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  module.importMemory({ module: 'env', name: 'memory', initial: 1, maximum: pages })
  const exports = new WebAssembly.Instance(module.compile(), { env: { memory } }).exports as Record<
    string,
    (...numbers: number[]) => void
  >
  const Elements = element === 'f32' ? Float32Array : Float64Array
  const all = new Elements(memory.buffer)
  all.fill(Number.NaN)
  const [a, b, c] = [
    new Elements(memory.buffer, aAt, aSize),
    new Elements(memory.buffer, bAt, bSize),
    new Elements(memory.buffer, cAt, cSize),
  ]
  const next = random(1)
  for (const array of [a, b]) for (let i = 0; i < array.length; i++) array[i] = next()

  const aligned = (address: number) => Math.ceil(address / 64) * 64
  if (prepare) exports['prepare']!(aAt, bAt, 0, aligned(madeAt), 0, prepare.units)
  const finished: boolean[] = []
  stages.forEach(({ units, finishes }, stage) => {
    const bounds = [0, ...cuts.map((cut) => Math.floor(cut * units)), units]
    // Last share first: nothing may depend on the order.
    for (let i = bounds.length - 2; i >= 0; i--) {
      const [begin = 0, end = 0] = bounds.slice(i, i + 2)
      exports[`${stage}`]!(aAt, prepare ? aligned(madeAt) : bAt, cAt, aligned(workspaceAt), begin, end)
      // What a share completes is complete, and nothing else is touched.
      if (finishes) {
        const done = c.subarray(begin * finishes, end * finishes)
        finished.push(!done.some(Number.isNaN) && c.subarray(0, begin * finishes).every(Number.isNaN))
      }
    }
  })
  let worst = 0
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0
      let scale = 0
      for (let p = 0; p < k; p++) {
        const x = (transposeA ? a[p * m + i] : a[i * k + p]) as number
        const y = (transposeB ? b[j * k + p] : b[p * n + j]) as number
        sum += x * y
        scale += Math.abs(x * y)
      }
      const difference = Math.abs((c[i * n + j] as number) - sum)
      // NaN must count as wrong.
      worst = difference <= 0 ? worst : Math.max(worst, difference / scale || Infinity)
    }
  const guards = c.length > 0 ? [all[cAt / bytes - 1], all[cAt / bytes + c.length]] : []
  return { worst, guards, finished, stages, values: c.slice(), tolerance: element === 'f32' ? 2e-6 : 1e-14 }
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
  [1, 1100, 37],
  [40, 130, 1],
  [33, 17, 1],
  [30, 9, 3],
  [37, 50, 52],
  [64, 64, 64],
  [129, 35, 261],
  [144, 130, 77],
]

describe.each(['f32', 'f64'] as const)('planMatmul of %s', (element) => {
  for (const form of forms)
    it(`agrees with a triple loop, A${form.transposeA ? ' transposed' : ''} by B${form.transposeB ? ' transposed' : ''}`, () => {
      for (const [m, n, k] of shapes)
        for (const [relaxed, last] of [[false, 'a'] as const, [true, 'b'] as const]) {
          const { worst, guards, tolerance } = product({ element, m, n, k, ...form }, { relaxed, last })
          expect(worst, `${m}x${n}x${k} ${relaxed}`).toBeLessThan(tolerance)
          expect(guards.every(Number.isNaN), `${m}x${n}x${k} wrote outside`).toBe(true)
        }
    })

  it('gives the same bits however the units are divided, and completes what it says', () => {
    for (const form of forms)
      for (const [m, n, k] of [
        [161, 45, 300],
        [100, 184, 40],
        [5, 200, 30],
        [1, 1300, 20],
        [200, 90, 2],
      ] as const) {
        const spec = { element, m, n, k, ...form }
        const { values } = product(spec)
        for (const cuts of [[0.5], [0.1, 0.35, 0.9], [0, 0, 1]]) {
          const divided = product(spec, { cuts })
          expect(divided.values).toEqual(values)
          expect(divided.finished.every(Boolean)).toBe(true)
        }
      }
  })

  it('gives the same bits however many threads the units are for', () => {
    for (const form of forms)
      for (const [m, n, k] of [
        [32, 256, 100],
        [1, 700, 300],
        [70, 230, 60],
        [90, 60, 62],
        [160, 45, 100],
      ] as const) {
        const spec = { element, m, n, k, ...form }
        const { values } = product(spec)
        for (const threads of [2, 4, 7]) {
          const divided = product(spec, { threads, cuts: [0.3, 0.6] })
          expect(divided.values).toEqual(values)
          expect(divided.finished.every(Boolean)).toBe(true)
        }
      }
  })

  it('gives the same bits with every register block', () => {
    for (const form of forms)
      for (const [m, n, k] of [
        [17, 53, 21],
        [140, 40, 400],
      ] as const) {
        const spec = { element, m, n, k, ...form }
        const { values } = product(spec)
        for (const tile of tiles)
          expect(product(spec, { tile }).values, `${tile.rows}x${tile.vectors}`).toEqual(values)
      }
  })

  it('gives the same bits with a constant B that was prepared once', () => {
    for (const form of forms)
      for (const [m, n, k] of [
        [60, 77, 400],
        [150, 130, 90],
        [5, 20, 30],
        [3, 9, 9],
      ] as const) {
        const spec = { element, m, n, k, ...form }
        const { values } = product(spec)
        const once = product(spec, { constantB: true })
        expect(once.values).toEqual(values)
        expect(once.stages.some(({ func }) => func.name.endsWith('packB'))).toBe(false)
      }
  })

  it('is right for sizes of zero', () => {
    for (const form of forms) {
      expect([...product({ element, m: 3, n: 5, k: 0, ...form }).values]).toEqual(Array(15).fill(0))
      expect([...product({ element, m: 1, n: 1, k: 0, ...form }).values]).toEqual([0])
      expect(product({ element, m: 0, n: 5, k: 4, ...form }).values).toHaveLength(0)
      expect(product({ element, m: 3, n: 0, k: 4, ...form }).values).toHaveLength(0)
    }
  })
})

/** Those that are chosen from, and some odd ones. */
const tiles = [
  { rows: 3, vectors: 3 },
  { rows: 2, vectors: 4 },
  { rows: 6, vectors: 2 },
  { rows: 5, vectors: 4 },
  { rows: 8, vectors: 3 },
  { rows: 1, vectors: 1 },
  { rows: 1, vectors: 6 },
  { rows: 7, vectors: 1 },
  { rows: 8, vectors: 5 },
]

describe('planMatmul', () => {
  it('goes over many groups of columns and blocks of k', () => {
    for (const transposeB of [false, true])
      for (const m of [7, 133]) {
        const { worst, tolerance } = product({ m, n: 400, k: 800, transposeB })
        expect(worst).toBeLessThan(tolerance)
      }
  })

  it('completes whole rows where a product has many of them', () => {
    const { stages } = product({ m: 600, n: 70, k: 90 })
    const { units, finishes = 0 } = stages.at(-1)!
    expect(finishes % 70).toBe(0)
    expect(units).toBe(Math.ceil((600 * 70) / finishes))
  })
})
