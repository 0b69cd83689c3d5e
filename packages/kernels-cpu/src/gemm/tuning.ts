// What register blocks cost on this machine: a few milliseconds of measuring, when a product large enough first asks, remembered for the process.
import { call, ModuleBuilder } from '../wasm/index.ts'
import { elements, microKernel } from './microKernel.ts'
import { candidatesFor, type MeasuredTile, type Tile } from './tile.ts'

/** The kinds of arithmetic that are measured apart: element type, and whether multiply-add rounds once. */
export type Arithmetic = 'f32' | 'f32 relaxed' | 'f64' | 'f64 relaxed'

/**
 * What register blocks of matrix products were measured to cost on a machine, by arithmetic: plain data, which may be kept as JSON.
 * It decides how fast products are, and never what they answer.
 */
export type Tuning = Readonly<Partial<Record<Arithmetic, readonly MeasuredTile[]>>>

/** Is this plain data what `measureTuning` answers? */
export function isTuning(value: unknown): value is Tuning {
  if (typeof value !== 'object' || value === null) return false
  const positive = (tile: MeasuredTile | null) =>
    tile !== null &&
    [tile.rows, tile.vectors].every((n) => Number.isInteger(n) && n > 0) &&
    Number.isFinite(tile.nanoseconds) &&
    tile.nanoseconds > 0
  return Object.values(value).every(
    (tiles: unknown) =>
      Array.isArray(tiles) && tiles.every((tile) => typeof tile === 'object' && positive(tile)),
  )
}

/** Measured so far in this process. */
const remembered: Partial<Record<Arithmetic, readonly MeasuredTile[]>> = {}

/** Times that measuring came to nothing, as the engine did not optimise the blocks in time; it is not tried for ever. */
let attempts = 0
const mostAttempts = 2

/** What was measured before, if anything. */
export const knownTiles = (arithmetic: Arithmetic): readonly MeasuredTile[] | undefined =>
  remembered[arithmetic]

/**
 * What candidates cost: measured at the first call, and known from then on. Undefined where they could not be measured.
 * @param measuring what measures them; by default this machine's clock.
 */
export function measuredTiles(
  arithmetic: Arithmetic,
  measuring: (arithmetic: Arithmetic) => readonly MeasuredTile[] | undefined = measure,
): readonly MeasuredTile[] | undefined {
  if (remembered[arithmetic] || attempts === mostAttempts) return remembered[arithmetic]
  const measured = measuring(arithmetic)
  if (measured) remembered[arithmetic] = measured
  else attempts++
  return measured
}

/** Multiply-adds of a kernel that are worth measuring the machine for. */
const worthMeasuring = 2 ** 22

/** What register blocks cost, for `chooseTile`: as was told, or as this process has measured, or measures now for a large kernel. */
export function tilesFor(
  element: 'f32' | 'f64',
  multiplyAdds: number,
  { relaxed, tuning }: { readonly relaxed: boolean; readonly tuning?: Tuning | undefined },
): readonly MeasuredTile[] | undefined {
  const arithmetic: Arithmetic = relaxed ? `${element} relaxed` : element
  return tuning?.[arithmetic] ?? (multiplyAdds >= worthMeasuring ? measuredTiles : knownTiles)(arithmetic)
}

/**
 * Measures register blocks on this machine: some 10 ms for each kind of arithmetic, when first called in a process.
 * Give the answer to `cpu({ tuning })`, now or in a later process on the same machine and engine: it saves the measuring.
 * A kind that could not be measured, on a machine that is too busy or in a page whose clock is too coarse, is left out.
 * @param kinds default: float32 with multiply-add rounded once, which is what large products use where the engine has it
 */
export function measureTuning(kinds: readonly Arithmetic[] = ['f32 relaxed']): Tuning {
  return Object.fromEntries(
    kinds.flatMap((kind) => {
      const measured = measuredTiles(kind)
      return measured ? [[kind, measured]] : []
    }),
  )
}

/** Steps of k of a measured block. */
const depth = 256
/** Calls that show how slow code is before it is optimised, and calls after which the engine has surely begun to optimise it. */
const firstCalls = 12
const warmUpCalls = 200
/** How long to wait for optimised code, which comes from another thread. */
const patienceMs = 15
/** Then each block is timed in turn, and its fastest sample counts. */
const samples = 8
/** Some 10 µs, which is long on a clock that ticks every half microsecond or oftener. */
const callsPerSample = 16
const fineTickMs = 0.0005
/** The clock of an isolated page ticks every 5 µs, that of another every 100 µs: too seldom. */
const coarsestTickMs = 0.02
/** Optimised blocks are about three times as fast as others. */
const leap = 0.6

/** The least step of the clock that is seen within a fifth of a millisecond. */
function clockTickMs(): number {
  let tick = Infinity
  let last = performance.now()
  const end = last + 0.2
  while (last < end) {
    const now = performance.now()
    if (now > last) tick = Math.min(tick, now - last)
    last = now
  }
  return tick
}

function measure(arithmetic: Arithmetic): readonly MeasuredTile[] | undefined {
  const tick = clockTickMs()
  if (tick > coarsestTickMs) return undefined
  const sampleCalls = callsPerSample * Math.max(1, Math.ceil(tick / fineTickMs))
  const candidates = candidatesFor(arithmetic.endsWith('relaxed'))
  const time = candidateTimer(arithmetic, candidates)
  const all = candidates.map((_, i) => i)
  // The fastest of several, as whatever else the machine does only slows them.
  const unoptimised = all.map((i) => Math.min(...[1, 2, 3].map(() => time(i, firstCalls))))
  for (const i of all) time(i, warmUpCalls)
  const waiting = new Set(all)
  const start = performance.now()
  while (waiting.size > 0 && performance.now() - start < patienceMs)
    for (const i of waiting) if (time(i, sampleCalls) < leap * unoptimised[i]!) waiting.delete(i)
  // Blocks that are optimised and blocks that are not cannot be compared.
  if (waiting.size > 0) return undefined
  const fastest = all.map(() => Infinity)
  for (let sample = 0; sample < samples; sample++)
    for (const i of all) fastest[i] = Math.min(fastest[i]!, time(i, sampleCalls))
  return candidates.map((tile, i) => ({ ...tile, nanoseconds: fastest[i]! }))
}

/** A function that times calls of a candidate: nanoseconds for each step of k. */
function candidateTimer(
  arithmetic: Arithmetic,
  candidates: readonly Tile[],
): (candidate: number, calls: number) => number {
  const element = arithmetic.startsWith('f32') ? 'f32' : 'f64'
  const relaxed = arithmetic.endsWith('relaxed')
  const { lanes, bytes } = elements[element]
  // A panel of A, one of B and a block of C, in one page; C is not a multiple of 4096 away from where the others are read when it has been
  // written, as processors would take those reads for reads of it.
  const addresses = [0, 16384, 49152 + 768] as const
  const module = new ModuleBuilder()
  module.importMemory({ module: 'env', name: 'memory', initial: 1 })
  candidates.forEach(({ rows, vectors }, i) => {
    const spec = { element, rows, columns: vectors * lanes, k: depth, relaxed } as const
    const strides = { aRow: depth * bytes, aK: bytes, bK: vectors * 16, bPadded: true, cRow: vectors * 16 }
    const kernel = microKernel(module, { ...spec, ...strides })
    // Called from WebAssembly, as in a product: a call from outside takes longer.
    const repeat = module.define(`repeat_${i}`, ['i32'], 'none', (f, calls) =>
      f.forRange(0, calls, 1, () => f.do(call(kernel, ...addresses, 0))),
    )
    module.export(repeat, `${i}`)
  })
  const memory = new WebAssembly.Memory({ initial: 1 })
  // Memory that was never written is one page of zeros under many addresses, which caches do not take for what it is.
  ;new (element === 'f32' ? Float32Array : Float64Array)(memory.buffer).fill(1)
  const { exports } = new WebAssembly.Instance(module.compile(), { env: { memory } })
  return (candidate, calls) => {
    const run = exports[`${candidate}`] as (calls: number) => void
    const start = performance.now()
    run(calls)
    return ((performance.now() - start) * 1e6) / calls / depth
  }
}
