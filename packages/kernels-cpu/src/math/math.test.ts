import { unaryFunction } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { call, i32, ModuleBuilder, v128 } from '../wasm/index.ts'
import { type BinaryMath, mathImports, type UnaryMath, vectorMath, vectorMath2 } from './index.ts'

const samples = 200_000

/** Linear congruential bits: the same in every run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 8) / 2 ** 24
  }
}

const special = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  2,
  -2,
  3,
  -3,
  1e-45,
  -1e-45,
  1e-40,
  -1e-40,
  2 ** -126,
  -(2 ** -126),
  3.4028234663852886e38,
  -3.4028234663852886e38,
  Infinity,
  -Infinity,
  Number.NaN,
  88.72283,
  88.72284,
  89.5,
  -87.4,
  -103.97,
  -104,
  -110,
  128,
  -150,
  0.9999999,
  1.0000001,
  1e-8,
  -1e-8,
  1e7,
  -1e7,
  1e20,
  Math.PI,
  Math.PI / 2,
  16777215,
  16777217,
].map(Math.fround)

/** Arguments: half of them spread over `range`, half over all exponents, and the special values. */
function argumentsIn([low, high]: readonly [number, number], seed = 1): Float32Array<ArrayBuffer> {
  const next = random(seed)
  const values = new Float32Array(samples)
  const bits = new Uint32Array(values.buffer)
  for (let i = 0; i < samples; i++)
    if (i % 2 === 0) values[i] = low + (high - low) * next()
    else bits[i] = Math.floor(next() * 2 ** 16) * 65536 + Math.floor(next() * 2 ** 16)
  values.set(special, 0)
  return values
}

/** Runs a function over arrays, four lanes at a time. */
function evaluate(
  name: UnaryMath | BinaryMath,
  relaxed: boolean,
  inputs: readonly Float32Array[],
): Float32Array {
  const module = new ModuleBuilder()
  module.importMemory({ module: 'env', name: 'memory', initial: 1 })
  const count = inputs[0]?.length ?? 0
  const bytes = count * 4
  const run = module.define('run', [], 'none', (f) =>
    f.forRange(0, bytes, 16, (at) => {
      const [x, y] = inputs.map((_, i) => v128.load(at, i * bytes))
      const result =
        x && y
          ? call(vectorMath2(module, name as BinaryMath, { relaxed }), x, y)
          : call(vectorMath(module, name as UnaryMath, { relaxed }), v128.load(at))
      f.do(v128.store(i32.add(at, inputs.length * bytes), result))
    }),
  )
  module.export(run)
  const memory = new WebAssembly.Memory({ initial: Math.ceil(((inputs.length + 1) * bytes) / 65536) })
  const all = new Float32Array(memory.buffer)
  inputs.forEach((input, i) => all.set(input, i * count))
  const { exports } = new WebAssembly.Instance(module.compile(), { env: { memory }, math: mathImports })
  ;(exports as { run(): void }).run()
  return all.slice(inputs.length * count, (inputs.length + 1) * count)
}

/** Distance in units of the last place of a float32 near the true value. Values beyond the largest float are Infinity. */
function ulps(got: number, truth: number): number {
  const rounded = Math.fround(truth)
  if (Object.is(got, rounded)) return Number.isFinite(rounded) ? Math.abs(got - truth) / ulpOf(truth) : 0
  // One neighbour of overflow: the largest float for Infinity, or the other way round.
  if (!Number.isFinite(rounded) || !Number.isFinite(got)) {
    const largest = 3.4028234663852886e38
    const near = (x: number) => (Math.abs(x) === Infinity ? Math.sign(x) * 2 ** 128 : x)
    return Math.sign(got) === Math.sign(truth) &&
      Math.min(Math.abs(near(got)), Math.abs(truth)) >= largest / (1 + 1e-6)
      ? Math.abs(near(got) - truth) / 2 ** 104
      : Infinity
  }
  if (got === 0 && truth === 0) return Infinity // the sign of zero is wrong
  return Math.abs(got - truth) / ulpOf(truth)
}

function ulpOf(x: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(x) || 1e-45)))
  return 2 ** (exponent - 23)
}

/** erf by its series up to 2.5, beyond it by the continued fraction of erfc. Relative error below 1e-13. */
function erf(x: number): number {
  if (x === 0) return x
  const size = Math.abs(x)
  if (!(size > 2.5)) return series(x)
  if (size > 7) return Math.sign(x)
  let fraction = 0
  for (let n = 80; n >= 1; n--) fraction = n / 2 / (size + fraction)
  return Math.sign(x) * (1 - Math.exp(-size * size) / Math.sqrt(Math.PI) / (size + fraction))
}

function series(x: number): number {
  let power = x
  let sum = x
  for (let n = 1; n < 80; n++) {
    power *= (-x * x) / n
    sum += power / (2 * n + 1)
    if (Math.abs(power) < 1e-18 * Math.abs(sum)) break
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

const erfc = unaryFunction('erfc', 'float64') as (x: number) => number
const erfinv = unaryFunction('erfinv', 'float64') as (x: number) => number
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

const unary: [
  name: UnaryMath,
  truth: (x: number) => number,
  range: readonly [number, number],
  bound: number,
][] = [
  ['exp', Math.exp, [-104, 89], 1.1],
  ['expm1', Math.expm1, [-20, 89], 1.6],
  ['sigmoid', sigmoid, [-104, 20], 2.5],
  ['log', Math.log, [0, 10], 1],
  ['log1p', Math.log1p, [-1, 3], 1.5],
  ['sin', Math.sin, [-100, 100], 2],
  ['cos', Math.cos, [-100, 100], 2],
  ['tan', Math.tan, [-100, 100], 3],
  ['asin', Math.asin, [-1, 1], 2.5],
  ['acos', Math.acos, [-1, 1], 2.5],
  ['atan', Math.atan, [-10, 10], 3],
  ['sinh', Math.sinh, [-90, 90], 2],
  ['cosh', Math.cosh, [-90, 90], 2],
  ['tanh', Math.tanh, [-10, 10], 3],
  ['asinh', Math.asinh, [-30, 30], 3],
  ['acosh', Math.acosh, [1, 30], 3],
  ['atanh', Math.atanh, [-1, 1], 3],
  ['erf', erf, [-4.5, 4.5], 1.5],
  ['erfc', erfc, [-3, 10.1], 8],
  ['erfinv', erfinv, [-1, 1], 6],
]

describe.each([true, false])('float32 functions, relaxed: %s', (relaxed) => {
  for (const [name, truth, range, bound] of unary)
    it(`${name} is within ${bound} ulp`, () => {
      const x = argumentsIn(range)
      const got = evaluate(name, relaxed, [x])
      let worst = { error: 0, text: '' }
      for (let i = 0; i < x.length; i++) {
        const expected = truth(x[i] as number)
        const error = ulps(got[i] as number, expected)
        if (!(error <= worst.error)) worst = { error, text: `${name}(${x[i]}) = ${expected}, not ${got[i]}` }
      }
      expect(worst.error, worst.text).toBeLessThanOrEqual(bound)
    })

  const binary: [
    BinaryMath,
    (x: number, y: number) => number,
    readonly [number, number],
    readonly [number, number],
    number,
  ][] = [
    ['pow', Math.pow, [0, 20], [-30, 30], 0.6],
    ['atan2', Math.atan2, [-5, 5], [-5, 5], 3],
  ]
  for (const [name, truth, first, second, bound] of binary)
    it(`${name} is within ${bound} ulp`, () => {
      const x = argumentsIn(first, 3)
      const y = argumentsIn(second, 4)
      // Every special value meets every other one.
      special.forEach((a, i) => {
        special.forEach((b, j) => {
          x[i * special.length + j] = a
          y[i * special.length + j] = b
        })
      })
      const got = evaluate(name, relaxed, [x, y])
      let worst = { error: 0, text: '' }
      for (let i = 0; i < x.length; i++) {
        const expected = truth(x[i] as number, y[i] as number)
        const error = ulps(got[i] as number, expected)
        if (!(error <= worst.error))
          worst = { error, text: `${name}(${x[i]}, ${y[i]}) = ${expected}, not ${got[i]}` }
      }
      expect(worst.error, worst.text).toBeLessThanOrEqual(bound)
    })
})
