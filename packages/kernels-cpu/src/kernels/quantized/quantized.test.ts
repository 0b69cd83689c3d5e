import type { AttrValues, ConcreteType, Signature } from '@shoal/core'
import { Node, placeholder, quantizedConv, quantizedMatmul, referenceKernels, sizeOf } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { chunksOf, type Stage } from '../../stage.ts'
import { features, ModuleBuilder } from '../../wasm/index.ts'
import type { KernelDef } from '../kernelDef.ts'
import { quantizedConvBy } from './conv.ts'
import { quantizedMatmulBy } from './matmul.ts'
import { type Way, wayFor, wayOf } from './way.ts'

/** Every way of multiplying that the engine has, whatever machine this is: all give the same bits. */
const ways: readonly Way[] = (
  features().relaxedSimd ? (['words', 'pairs', 'bytes'] as const) : (['words'] as const)
).flatMap((product) => [2, 4].map((rows) => ({ product, rows })))

/** Any int8, from a linear congruential generator. */
function bytes(size: number, seed: number): Int8Array {
  let state = seed
  return Int8Array.from({ length: size }, () => (state = (Math.imul(state, 1664525) + 1013904223) | 0) >> 24)
}

const pageBytes = 65536
const roundUp = (size: number) => Math.ceil(size / 64) * 64

/** Where the arrays of a kernel lie; the one that `last` names ends where the memory ends, so that reading beyond it traps. */
function place(sizes: readonly number[], last: number) {
  const others = sizes.reduce((sum, size, i) => sum + (i === last ? 0 : roundUp(size)), 64)
  const pages = Math.ceil((others + sizes[last]!) / pageBytes)
  let free = 64
  const addresses = sizes.map((size, i) => {
    if (i === last) return pages * pageBytes - size
    const address = free
    free += roundUp(size)
    return address
  })
  return { pages, addresses }
}

/** Runs a kernel on its own, each stage in chunks as threads would take them, backwards. */
function run(def: KernelDef, signature: Signature, inputs: readonly Int8Array[], last: number): Int32Array {
  const { write, workspaceBytes, prepared } = def.compile(signature, { relaxed: true })
  const outputBytes = 4 * sizeOf(signature.outputs[0]!.shape)
  const scratch = [...(workspaceBytes > 0 ? [workspaceBytes] : []), ...(prepared ? [prepared.bytes] : [])]
  const { pages, addresses } = place([...inputs.map((data) => data.length), outputBytes, ...scratch], last)
  const module = new ModuleBuilder()
  module.importMemory({ module: 'env', name: 'memory', initial: 1 })
  const stages = write(module)
  const before = prepared?.write(module) ?? []
  stages.forEach(({ func }, i) => module.export(func, `stage${i}`))
  before.forEach(({ func }, i) => module.export(func, `before${i}`))
  const memory = new WebAssembly.Memory({ initial: pages })
  // What nobody wrote shows.
  new Uint8Array(memory.buffer).fill(0x55)
  inputs.forEach((data, i) => new Int8Array(memory.buffer).set(data, addresses[i]))
  const { exports } = new WebAssembly.Instance(module.compile(), { env: { memory } })
  const runAll = (name: string, list: readonly Stage[], given: readonly number[]) =>
    list.forEach((stage, i) => {
      const compute = exports[`${name}${i}`] as (...numbers: number[]) => void
      for (const [begin, end] of shares(stage)) compute(...given, begin, end)
    })
  runAll('before', before, [...addresses.slice(0, inputs.length), addresses.at(-1)!])
  runAll('stage', stages, addresses)
  return new Int32Array(
    memory.buffer.slice(addresses[inputs.length], addresses[inputs.length]! + outputBytes),
  )
}

function shares(stage: Stage): [begin: number, end: number][] {
  const { grain, count } = chunksOf(stage)
  return Array.from({ length: count }, (_, i): [number, number] => {
    const begin = (count - 1 - i) * grain
    return [begin, Math.min(stage.units, begin + grain)]
  })
}

const typeOf = (shape: readonly number[]): ConcreteType => ({ dtype: 'int8', shape })

/** All ways agree with the reference kernel. */
function expectExact(
  op: typeof quantizedConv | typeof quantizedMatmul,
  defOf: (way: Way) => KernelDef,
  shapes: readonly (readonly number[])[],
  attrs: AttrValues = {},
): void {
  const x = shapes.map((shape) => placeholder({ shape, dtype: 'int8' }))
  const node = new Node(op.def, x, attrs)
  const signature: Signature = {
    inputs: shapes.map(typeOf),
    outputs: node.outputs.map(({ dtype, shape }) => ({ dtype, shape }) as ConcreteType),
    attrs,
  }
  const inputs = shapes.map((shape, i) => bytes(sizeOf(shape), i + 1))
  const expected = new Int32Array(sizeOf(signature.outputs[0]!.shape))
  referenceKernels[op.def.name]!(inputs, [expected], signature)
  for (const way of ways)
    for (const last of [0, 1])
      for (const constants of [new Set<number>(), new Set([1])]) {
        const answer = run(defOf(way), { ...signature, constants }, inputs, last)
        expect(answer, JSON.stringify([shapes, way, last, constants.size])).toEqual(expected)
      }
}

describe('products of bytes', () => {
  it('are the same in every way, whatever the sizes', () => {
    for (const [m, k, n] of [
      [1, 1, 1],
      [1, 7, 70],
      [2, 8, 4],
      [3, 15, 5],
      [4, 16, 33],
      [5, 17, 3],
      [7, 31, 41],
      [13, 64, 9],
      [49, 40, 37],
      [67, 100, 34],
      [35, 64, 21],
    ] as const)
      expectExact(quantizedMatmul, (way) => quantizedMatmulBy(() => way), [
        [m, k],
        [n, k],
      ])
  })

  it('are chosen by what a machine makes of bytes that are no activations', () => {
    const [x64, arm] = [0xffc00000 | 0, 0x7fc00000]
    expect(wayOf({ dot: 65534, nan: x64 })).toEqual({ product: 'pairs', rows: 2 })
    expect(wayOf({ dot: 129540, nan: x64 })).toEqual({ product: 'bytes', rows: 2 })
    expect(wayOf({ dot: -508, nan: x64 })).toEqual({ product: 'bytes', rows: 2 })
    expect(wayOf({ dot: -508, nan: arm })).toEqual({ product: 'bytes', rows: 4 })
    expect(ways).toContainEqual(wayFor({ relaxed: true }))
    expect(wayFor({ relaxed: false })).toEqual({ product: 'words', rows: 2 })
  })

  it('say which elements of the result a unit completes', () => {
    const stagesOf = (m: number, n: number) => {
      const signature: Signature = {
        inputs: [typeOf([m, 32]), typeOf([n, 32])],
        outputs: [{ dtype: 'int32', shape: [m, n] }],
        attrs: {},
      }
      return quantizedMatmulBy(wayFor).compile(signature, { relaxed: true }).write(new ModuleBuilder())
    }
    expect(stagesOf(100, 50).at(-1)).toMatchObject({ units: 7, finishes: 16 * 50 })
    expect(stagesOf(1, 100).at(-1)).toMatchObject({ units: 4, finishes: 32 })
    expect(stagesOf(4, 100).at(-1)!.finishes).toBeUndefined()
  })
})

describe('convolutions of bytes', () => {
  const valid = { padding: 'VALID', groups: 1, zeroPoint: 0 }
  const same = { padding: 'SAME', groups: 1, zeroPoint: 33 }

  it('are the same in every way, whether windows are read where they lie or written out', () => {
    const convOf = (way: Way) => quantizedConvBy(() => way)
    const cases: readonly [x: number[], filter: number[], attrs: AttrValues][] = [
      [[2, 9, 9, 1], [6, 5, 5, 1], valid],
      [[1, 8, 8, 3], [5, 3, 3, 3], same],
      [[1, 6, 7, 16], [9, 3, 3, 16], valid],
      [[2, 6, 7, 16], [9, 3, 3, 16], { ...same, strides: [2, 1] }],
      [[1, 7, 7, 19], [4, 3, 3, 19], { ...same, dilations: [2, 2] }],
      [[1, 7, 7, 48], [4, 3, 3, 48], { ...valid, dilations: [1, 2] }],
      [[1, 5, 5, 96], [6, 2, 2, 48], { ...valid, groups: 2 }],
      [[1, 5, 5, 6], [9, 2, 2, 2], { ...same, groups: 3 }],
      [[1, 5, 6, 20], [20, 3, 3, 1], { ...same, groups: 20 }],
      [[2, 5, 6, 5], [5, 3, 2, 1], { ...valid, groups: 5, strides: [1, 2] }],
      [[1, 4, 4, 64], [7, 1, 1, 64], { ...valid, strides: [3, 3] }],
      [[1, 4, 5, 32], [19, 1, 1, 32], valid],
      [[1, 5, 4, 64], [10, 1, 1, 32], { ...valid, groups: 2, strides: [2, 1] }],
      [[1, 3, 4, 3, 2], [3, 2, 3, 2, 2], { ...same, strides: [1, 1, 2] }],
      [[1, 9, 32], [3, 4, 32], { ...valid, padding: 'EXPLICIT', explicitPadding: [3, 0] }],
    ]
    for (const [x, filter, attrs] of cases) expectExact(quantizedConv, convOf, [x, filter], attrs)
  })
})
