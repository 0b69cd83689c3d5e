import { onNumber } from '@shoal/core'
import { afterAll, describe, expect, it } from 'vitest'
import type { BufferUse } from '../../stage.ts'
import { mapMode, usage } from '../../usage.ts'
import { webgpu } from '../../webgpu.ts'
import { bindingFor } from '../memory.ts'
import { Shader, type WgslFunction } from '../shader.ts'
import { type BinaryMath, mathFunctions, type UnaryMath } from './index.ts'

const device = await webgpu().catch(() => undefined)
afterAll(() => device?.[Symbol.asyncDispose]())

const samples = 4096
const lanes = 64

/** What stands for `fma`, which devices may round once or twice: one of each kind. */
const multiplyAdds = {
  once: `
fn once(a: f32, b: f32, c: f32) -> f32 {
  // The rounding errors of product and sum, both exact, come in at the end.
  let a1 = bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
  let b1 = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
  let product = a * b;
  let sum = product + c;
  if ((bitcast<u32>(sum) & 0x7f800000u) == 0x7f800000u) { return sum; }
  let lost = (((a1 * b1 - product) + a1 * (b - b1)) + (a - a1) * b1) + (a - a1) * (b - b1);
  let added = sum - product;
  return sum + (((product - (sum - added)) + (c - added)) + lost);
}`,
  twice: 'fn twice(a: f32, b: f32, c: f32) -> f32 { return a * b + c; }',
} as const
type Rounding = keyof typeof multiplyAdds

/** The text of a kernel that applies a function to arrays. */
function textFor(f: WgslFunction, arity: number, rounding: Rounding): string {
  const uses = Array.from(
    { length: arity + 1 },
    (_, arg): BufferUse => ({
      arg,
      dtype: 'float32',
      length: samples,
      access: arg < arity ? 'read' : 'write',
    }),
  )
  const shader = new Shader(
    uses,
    uses.map((use) => bindingFor([use])),
    uses.map((_, i) => i),
  )
  const index = shader.let(`group * ${lanes} + lane`)
  const inputs = uses.slice(0, arity).map((_, i) => shader.memory(i).load(index))
  shader.memory(arity).store(index, `${shader.include(f)}(${inputs.join(', ')})`)
  const text = shader.text({ groups: samples / lanes, lanes })
  return `${multiplyAdds[rounding]}\n${text.replaceAll('fma(', `${rounding}(`)}`
}

/** Runs a function over arrays on the device. */
async function evaluate(
  gpu: GPUDevice,
  f: WgslFunction,
  inputs: readonly Float32Array<ArrayBuffer>[],
  rounding: Rounding,
): Promise<Float32Array> {
  const code = textFor(f, inputs.length, rounding)
  const pipeline = await gpu.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: gpu.createShaderModule({ code }) },
  })
  const size = 4 * samples
  const arrays = inputs.map((input) => {
    const buffer = gpu.createBuffer({ size, usage: usage.storage | usage.copyTarget })
    gpu.queue.writeBuffer(buffer, 0, input)
    return buffer
  })
  const output = gpu.createBuffer({ size, usage: usage.storage | usage.copySource })
  const readable = gpu.createBuffer({ size, usage: usage.mapRead | usage.copyTarget })
  const encoder = gpu.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  const entries = [...arrays, output].map((buffer, binding) => ({ binding, resource: { buffer } }))
  pass.setBindGroup(0, gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
  pass.dispatchWorkgroups(samples / lanes)
  pass.end()
  encoder.copyBufferToBuffer(output, 0, readable, 0, size)
  gpu.queue.submit([encoder.finish()])
  await readable.mapAsync(mapMode.read)
  const result = new Float32Array(readable.getMappedRange().slice(0))
  ;[...arrays, output, readable].forEach((buffer) => buffer.destroy())
  return result
}

/** Linear congruential numbers from 0 to 1: the same in every run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return (state >>> 8) / 2 ** 24
  }
}

const magnitudes = [
  0,
  1e-45,
  1e-40,
  2 ** -126,
  1e-8,
  0.25,
  0.5,
  0.9999999,
  1,
  1.0000001,
  1.5,
  2,
  2.5,
  3,
  Math.PI / 2,
  Math.PI,
  18,
  87.4,
  88.72283,
  88.72284,
  103.97,
  127.5,
  255,
  12345.678,
  8388607.5,
  16777215,
  16777216,
  4294967296,
  1e20,
  2 ** 100,
  3.4028234663852886e38,
  Number.POSITIVE_INFINITY,
]
const special = [...magnitudes, ...magnitudes.map((x) => -x), Number.NaN].map(Math.fround)

/** From the least to the greatest. */
type Range = readonly [low: number, high: number]

/** Arguments: half of them over all bits and so over all exponents, the others over the ranges in turn, and the special values first. */
function argumentsIn(ranges: readonly Range[], seed: number): Float32Array<ArrayBuffer> {
  const next = random(seed)
  const values = new Float32Array(samples)
  const bits = new Uint32Array(values.buffer)
  for (let i = 0; i < samples; i++) {
    const [low, high] = ranges[(i >> 1) % ranges.length]!
    if (i % 2 === 0) values[i] = low + (high - low) * next()
    else bits[i] = Math.floor(next() * 2 ** 16) * 65536 + Math.floor(next() * 2 ** 16)
  }
  values.set(special, 0)
  return values
}

/** The distance from one float32 around the size of x to the next. */
const ulpOf = (x: number): number =>
  2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(x) || Number.MIN_VALUE))) - 23)

/**
 * How far a result is off, in units of the last place of a number of the size of the truth, and of at least `least`. Truths beyond the
 * largest float count as infinite, those below the least normal one may be 0; NaN must be NaN, and zeros must have their sign.
 */
function error(got: number, truth: number, least: number): number {
  const expected = Math.fround(truth)
  if (Object.is(got, expected) && !Number.isFinite(expected)) return 0
  if (Number.isNaN(expected) || Number.isNaN(got)) return Number.POSITIVE_INFINITY
  // At the border of overflow infinity stands for the first number that there is none of.
  const finite = (x: number): number =>
    Math.abs(x) === Number.POSITIVE_INFINITY ? Math.sign(x) * 2 ** 128 : x
  const [a, b] = [finite(got), Number.isFinite(truth) ? truth : finite(truth)]
  if (a === 0 && Math.abs(b) < 2 ** -126)
    return Object.is(Math.sign(got), -0) === (Object.is(truth, -0) || truth < 0)
      ? 0
      : Number.POSITIVE_INFINITY
  if (b === 0 && least === 0) return Number.POSITIVE_INFINITY
  return Math.abs(a - b) / ulpOf(Math.min(Math.max(Math.abs(b), least), 3e38))
}

/** What devices may take a number for: subnormal ones may count as 0. */
const readings = (x: number): readonly number[] => (Math.abs(x) < 2 ** -126 ? [x, Math.trunc(x)] : [x])

/** The worst result among all, as a sentence, with its error. */
function worst(
  name: string,
  [first, second]: readonly Float32Array[],
  got: Float32Array,
  truth: (x: number, y: number) => number,
  least: (x: number) => number = () => 0,
): { readonly error: number; readonly text: string } {
  let found = { error: 0, text: '' }
  got.forEach((value, i) => {
    const [x, y] = [first![i]!, second?.[i] ?? 0]
    const truths = readings(x).flatMap((a) => readings(y).map((b) => truth(a, b)))
    const off = Math.min(...truths.map((t) => error(value, t, least(x))))
    if (!(off <= found.error))
      found = { error: off, text: `${name}(${second ? `${x}, ${y}` : x}) = ${truths[0]}, not ${value}` }
  })
  return found
}

/** Below 0 these are differences of larger numbers: their errors are counted as those of a number of at least this size. */
const leastBelowZero: Partial<Record<UnaryMath, number>> = { lgamma: 1, digamma: 2 }

const unary: readonly (readonly [name: UnaryMath, bound: number, first: Range, second: Range])[] = [
  ['exp', 1.5, [-1, 1], [-104, 89]],
  ['expm1', 3, [-1, 1], [-20, 89]],
  ['log', 1.6, [0.5, 2], [0, 1000]],
  ['log1p', 2.5, [-0.5, 0.5], [-1, 3]],
  ['sin', 3, [-4, 4], [-1e5, 1e5]],
  ['cos', 3, [-4, 4], [-1e5, 1e5]],
  ['tan', 5.5, [-4, 4], [-1e5, 1e5]],
  ['asin', 2.8, [-0.1, 0.1], [-1, 1]],
  ['acos', 2, [-0.1, 0.1], [-1, 1]],
  ['atan', 5, [-1, 1], [-10, 10]],
  ['sinh', 1.8, [-2, 2], [-90, 90]],
  ['cosh', 1.6, [-2, 2], [-90, 90]],
  ['tanh', 2.5, [-2, 2], [-11, 11]],
  ['asinh', 3.5, [-3, 3], [-1e5, 1e5]],
  ['acosh', 3, [1, 3], [1, 1e5]],
  ['atanh', 6, [-0.1, 0.1], [-1, 1]],
  ['erf', 2.5, [-1.1, 1.1], [-4.5, 4.5]],
  ['erfc', 9, [-1, 2], [-3, 10.1]],
  ['erfinv', 6, [-0.1, 0.1], [-1, 1]],
  ['lgamma', 8, [-10, 0], [0, 10]],
  ['digamma', 20, [-10, 0], [0, 10]],
]
const binary: readonly (readonly [name: BinaryMath, bound: number, first: Range, second: Range])[] = [
  ['pow', 3.5, [0, 4], [-100, 100]],
  ['atan2', 6, [-5, 5], [-5, 5]],
  ['rem', 0, [-1e6, 1e6], [-10, 10]],
]

describe.skipIf(!device)('functions in WGSL (need an adapter of WebGPU)', () => {
  describe.each(['once', 'twice'] as const)('where a·b + c is rounded %s', (rounding) => {
    it('is so here', async () => {
      const leftover = {
        name: 'leftover',
        code: 'fn leftover(x: f32) -> f32 { return fma(x, x, -(x * x)); }',
      }
      const x = argumentsIn([[1, 2]], 5).map((value, i) => (i % 2 === 0 ? value : 1))
      const got = await evaluate(device!.gpu, leftover, [x], rounding)
      const lost = (at: number): number => (rounding === 'once' ? at * at - Math.fround(at * at) : 0)
      expect([...got.subarray(special.length)]).toEqual([...x.subarray(special.length)].map(lost))
    })

    it.each(unary)('%s is within %f ulp', async (name, bound, ...ranges) => {
      const x = argumentsIn(ranges, 1)
      const got = await evaluate(device!.gpu, mathFunctions[name], [x], rounding)
      const least = (at: number): number => (at < 0 ? (leastBelowZero[name] ?? 0) : 0)
      const found = worst(name, [x], got, onNumber.unary[name], least)
      expect(found.error, found.text).toBeLessThanOrEqual(bound)
    })

    it.each(binary)('%s is within %f ulp', async (name, bound, first, second) => {
      const [x, y] = [argumentsIn([first], 3), argumentsIn([second], 4)]
      const pairs = special.flatMap((a) => special.map((b) => [a, b] as const))
      for (const offset of [0, pairs.length - (samples >> 1)]) {
        // Every special value meets every other one, some of them in the second round.
        pairs.slice(offset, offset + (samples >> 1)).forEach(([a, b], i) => {
          x[i] = a
          y[i] = b
        })
        const got = await evaluate(device!.gpu, mathFunctions[name], [x, y], rounding)
        const found = worst(name, [x, y], got, onNumber.binary[name])
        expect(found.error, found.text).toBeLessThanOrEqual(bound)
      }
    })
  })
})
