import type {
  Binary,
  Comparison,
  DType,
  Expr,
  FusedKernel,
  Kernel,
  SimpleKernel,
  TypedArray,
  Unary,
} from '@shoal/core'
import {
  allocate,
  binaryNames,
  comparisonNames,
  dtypes,
  E,
  fixedSize,
  floats,
  getElement,
  integers,
  interpretKernel,
  numerics,
  setElement,
  simpleKernel,
  unaryNames,
  verifyKernel,
} from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { cpu } from '../cpu.ts'

const device = cpu()

/** Numbers of a linear congruential generator, in [-1, 1). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  }
}

/** Values that are at home in a dtype, with a few that are special. */
function values(dtype: DType, length: number, seed = 1): TypedArray {
  const data = allocate(dtype, length) as TypedArray
  const next = random(seed)
  const { kind } = dtypes[dtype]
  const special =
    kind === 'float'
      ? [0, -0, 1, -1, NaN, Infinity, -Infinity, 0.5, 2.5, -1.5]
      : [0, 1, 2, 127, 255, -1, -128]
  for (let i = 0; i < length; i++) {
    const x = next()
    const plain = kind === 'float' ? x * 4 : kind === 'bool' ? Number(x > 0) : Math.trunc(x * 100)
    setElement(dtype, data, i, i % 3 === 2 ? special[((i / 3 + seed) % special.length) | 0]! : plain)
  }
  return data
}

const bytesOf = (data: TypedArray | Uint8Array) =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** Runs a kernel of one output on the device; the answer as host values. */
const run = (kernel: SimpleKernel, inputs: readonly TypedArray[]): TypedArray =>
  runAll(simpleKernel(kernel), inputs)[0]!

/** Runs a kernel on the device; the answers as host values. */
function runAll(kernel: FusedKernel, inputs: readonly TypedArray[]): TypedArray[] {
  const results = kernel.stores.map(({ dtype, length }) => allocate(dtype, length) as TypedArray)
  const { launch, workspaceBytes } = device.fuse(kernel) as Kernel
  const buffers = [...inputs, ...results, new Uint8Array(workspaceBytes)].map((data) => {
    const buffer = device.alloc(data.byteLength)
    device.write(buffer, bytesOf(data))
    return buffer
  })
  launch(workspaceBytes > 0 ? buffers : buffers.slice(0, -1))
  results.forEach((result, i) => {
    const bytes = device.read(buffers[inputs.length + i]!) as Uint8Array
    bytesOf(result).set(bytes.subarray(0, result.byteLength))
  })
  buffers.forEach((buffer) => device.free(buffer))
  return results
}

/** Both answers agree: equal, or close where floats are. */
function expectAgreement(kernel: SimpleKernel, inputs: readonly TypedArray[], relative = 0, what = ''): void {
  const actual = run(kernel, inputs)
  const expected = interpretKernel(simpleKernel(kernel), inputs)[0]!
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual, expected].map((data) => Number(getElement(kernel.output.dtype, data, i))) as [
      number,
      number,
    ]
    const close = Number.isNaN(e)
      ? Number.isNaN(a)
      : a === e || Math.abs(a - e) <= relative * Math.max(1e-6, Math.abs(e))
    expect(close, `${what} ${kernel.name}[${i}]: ${a} is not ${e}, of ${inputs.map((x) => x[i])}`).toBe(true)
  }
}

/** One loop over `length` elements. */
function map(
  dtype: DType,
  length: number,
  inputs: readonly DType[],
  body: (...x: Expr[]) => Expr,
): SimpleKernel {
  return {
    name: 'map',
    inputs: inputs.map((d) => ({ dtype: d, length })),
    output: { dtype, length },
    axes: [length],
    reduced: 0,
    body: body(...inputs.map((d, i) => E.load(i, E.axis(0), d))),
  }
}

const integerUnary: readonly Unary[] = ['neg', 'abs', 'sign', 'bitNot', 'floor', 'ceil', 'round', 'trunc']
const bitwise: readonly Binary[] = ['and', 'or', 'xor', 'shl', 'shr']
const epsilon: Partial<Record<DType, number>> = {
  float32: 1e-6,
  float16: 1e-3,
  bfloat16: 8e-3,
  float64: 1e-15,
}

describe('lowering', () => {
  for (const dtype of floats)
    it(`computes every function of ${dtype} as the interpreter does`, () => {
      for (const op of unaryNames) {
        if (op === 'not' || op === 'bitNot') continue
        expectAgreement(
          map(dtype, 39, [dtype], (x) => E[op](x)),
          [values(dtype, 39)],
          epsilon[dtype],
          op,
        )
      }
      for (const op of binaryNames) {
        if (bitwise.includes(op)) continue
        const inputs = [values(dtype, 39), values(dtype, 39, 4)]
        expectAgreement(
          map(dtype, 39, [dtype, dtype], (a, b) => E[op](a, b)),
          inputs,
          epsilon[dtype],
          op,
        )
      }
    })

  for (const dtype of integers)
    it(`computes every function of ${dtype} exactly`, () => {
      for (const op of integerUnary)
        expectAgreement(
          map(dtype, 39, [dtype], (x) => E[op](x)),
          [values(dtype, 39)],
          0,
          op,
        )
      for (const op of binaryNames) {
        if (op === 'atan2') continue
        expectAgreement(
          map(dtype, 39, [dtype, dtype], (a, b) => E[op](a, b)),
          [values(dtype, 39), values(dtype, 39, 4)],
          0,
          op,
        )
      }
    })

  it('computes with bools', () => {
    const inputs = [values('bool', 21), values('bool', 21, 4)]
    for (const op of ['and', 'or', 'xor', 'min', 'max'] as const)
      expectAgreement(
        map('bool', 21, ['bool', 'bool'], (a, b) => E[op](a, b)),
        inputs,
      )
    expectAgreement(
      map('bool', 21, ['bool'], (x) => E.not(x)),
      [inputs[0]!],
    )
  })

  it('compares and selects in every dtype', () => {
    for (const dtype of fixedSize)
      for (const op of comparisonNames as readonly Comparison[]) {
        const inputs = [values(dtype, 39), values(dtype, 39, 4)]
        expectAgreement(
          map('bool', 39, [dtype, dtype], (a, b) => E[op](a, b)),
          inputs,
          0,
          `${op} ${dtype}`,
        )
        expectAgreement(
          map(dtype, 39, [dtype, dtype], (a, b) => E.select(E[op](a, b), b, a)),
          inputs,
          0,
          `select ${op} ${dtype}`,
        )
      }
  })

  it('converts every dtype to every other', () => {
    for (const from of fixedSize)
      for (const to of fixedSize)
        expectAgreement(
          map(to, 39, [from], (x) => E.cast(x, to)),
          [values(from, 39)],
          0,
          `${from} to ${to}`,
        )
  })

  it('reads broadcast, transposed, strided and computed indices', () => {
    const [rows, columns] = [7, 13]
    const [i, j] = [E.axis(0), E.axis(1)]
    const int = (x: number) => E.num(x, 'int32')
    const indices = [
      E.add(E.mul(i, int(columns)), j),
      E.add(E.mul(j, int(rows)), i),
      j,
      i,
      int(3),
      E.mul(j, int(2)),
      E.sub(int(12), j),
      E.rem(E.add(E.mul(i, int(5)), j), int(11)),
      E.div(E.add(i, j), int(3)),
    ]
    for (const dtype of fixedSize) {
      const kernel: SimpleKernel = {
        name: 'indices',
        inputs: [{ dtype, length: 91 }],
        output: { dtype, length: 91 },
        axes: [rows, columns],
        reduced: 0,
        body: indices
          .map((index) => E.load(0, index, dtype))
          .reduce((a, b) => (dtype === 'bool' ? E.xor(a, b) : E.max(a, b))),
      }
      expectAgreement(kernel, [values(dtype, 91)], 0, dtype)
    }
    const counters: SimpleKernel = {
      name: 'counters',
      inputs: [],
      output: { dtype: 'int32', length: 91 },
      axes: [rows, columns],
      reduced: 0,
      body: E.add(E.mul(i, int(1000)), j),
    }
    expectAgreement(counters, [])
  })

  it('never reads outside of an input, whatever the index', () => {
    const kernel = map('float32', 40, ['float32'], () => {
      const index = E.sub(E.axis(0), E.num(10, 'int32'))
      const inside = E.and(E.le(E.num(0, 'int32'), index), E.lt(index, E.num(20, 'int32')))
      return E.select(inside, E.load(0, index, 'float32'), E.num(7, 'float32'))
    })
    const padded = run({ ...kernel, inputs: [{ dtype: 'float32', length: 20 }] }, [values('float32', 20)])
    expect([...padded.slice(0, 10), ...padded.slice(30)]).toEqual(Array(20).fill(7))
    expect(padded.slice(10, 30)).toEqual(values('float32', 20))
    const empty = { ...kernel, inputs: [{ dtype: 'float32' as const, length: 0 }] }
    expect(run(empty, [new Float32Array(0)]).slice(0, 10)).toEqual(new Float32Array(10).fill(7))
  })

  it('reduces along rows, down columns and over everything, with an epilogue', () => {
    const shapes: [kept: number[], reduced: number[], coefficients: number[]][] = [
      [[5], [37], [37, 1]],
      [[5], [3], [3, 1]],
      [[1], [1000], [1000, 1]],
      [[2], [4200], [4200, 1]],
      [[37], [9], [1, 37]],
      [[70], [270], [1, 70]],
      [[150], [9], [1, 150]],
      [[6], [2], [1, 6]],
      [
        [4, 19],
        [3, 11],
        [11, 132, 44, 1],
      ],
      [
        [3, 40],
        [5, 7],
        [1400, 1, 280, 40],
      ],
      [[7], [0], [1, 1]],
      [[3, 5], [1], [5, 1, 1]],
    ]
    for (const dtype of numerics)
      for (const combine of ['sum', 'max', 'min', 'prod'] as const)
        for (const [kept, reduced, coefficients] of shapes) {
          const compute = dtypes[dtype].compute
          const axes = [...kept, ...reduced]
          const length = kept.reduce((p, d) => p * d, 1)
          const size = Math.max(
            1,
            axes.reduce((last, d, k) => last + Math.max(0, d - 1) * coefficients[k]!, 1),
          )
          const index = coefficients
            .map((c, k) => E.mul(E.axis(k), E.num(c, 'int32')))
            .reduce((a, b) => E.add(a, b))
          const bias = kept.map((_, k) => E.axis(k)).at(-1)!
          const x = E.load(0, index, dtype)
          const body =
            combine === 'prod' && dtypes[dtype].kind === 'float'
              ? E.add(E.num(1, compute), E.mul(x, E.num(0.01, compute)))
              : x
          const kernel: SimpleKernel = {
            name: `${combine} ${dtype} ${kept} ${reduced}`,
            inputs: [{ dtype, length: size }],
            output: { dtype, length },
            axes,
            reduced: reduced.length,
            body,
            reduce: { combine, dtype: compute, epilogue: E.add(E.acc(0, dtype), E.cast(bias, compute)) },
          }
          const data = allocate(dtype, size) as TypedArray
          const next = random(3)
          for (let k = 0; k < size; k++)
            setElement(dtype, data, k, dtypes[dtype].kind === 'float' ? next() + 0.3 : Math.trunc(next() * 9))
          expectAgreement(
            kernel,
            [data],
            { float16: 2e-3, bfloat16: 2e-2, float32: 1e-6 }[dtype as string] ?? 1e-12,
          )
        }
  })

  it('keeps NaN in maxima and minima, and joins bools', () => {
    for (const [combine, dtype] of [
      ['max', 'float32'],
      ['min', 'float64'],
      ['max', 'bool'],
      ['min', 'bool'],
    ] as const) {
      const kernel: SimpleKernel = {
        name: combine,
        inputs: [{ dtype, length: 90 }],
        output: { dtype, length: 2 },
        axes: [2, 45],
        reduced: 1,
        body: E.load(0, E.add(E.mul(E.axis(0), E.num(45, 'int32')), E.axis(1)), dtype),
        reduce: { combine, dtype, epilogue: E.acc(0, dtype) },
      }
      expectAgreement(kernel, [values(dtype, 90)])
      expectAgreement(kernel, [allocate(dtype, 90)])
    }
  })

  it('adds a million float32 to nearly the exact sum', () => {
    const length = 1_000_000
    const data = Float32Array.from({ length }, (_, i) => 0.1 + (i % 7) * 1e-3)
    const kernel: SimpleKernel = {
      name: 'sum',
      inputs: [{ dtype: 'float32', length }],
      output: { dtype: 'float32', length: 1 },
      axes: [length],
      reduced: 1,
      body: E.load(0, E.axis(0), 'float32'),
      reduce: { combine: 'sum', dtype: 'float32', epilogue: E.acc(0, 'float32') },
    }
    const exact = data.reduce((sum, x) => sum + x, 0)
    expect(Math.abs(Number(run(kernel, [data])[0]) - exact) / exact).toBeLessThan(1e-6)
  })

  // Large enough to be cut into parts: one row, few rows, few columns, some that are no whole vector, and two reduced axes.
  it.each<[string, readonly number[], number, readonly number[]]>([
    ['one row', [100_003], 1, [1]],
    ['few rows', [3, 40_001], 1, [40_001, 1]],
    ['few columns', [10, 20_011], 1, [1, 10]],
    ['columns of two axes', [17, 90, 91], 2, [1, 17 * 91, 17]],
    ['rows of two axes', [2, 300, 401], 2, [300 * 401, 401, 1]],
  ])('reduces %s in parts, and stores what it meets', (_, axes, reduced, strides) => {
    const int = (value: number): Expr => E.num(value, 'int32')
    const length = axes.reduce((a, b) => a * b)
    const points = axes.slice(0, axes.length - reduced)
    const at = axes
      .map((_size, axis) => E.mul(E.axis(axis), int(strides[axis]!)))
      .reduce((a, b) => E.add(a, b))
    const kept = points.reduce<Expr>(
      (flat, size, axis) => E.add(E.mul(flat, int(size)), E.axis(axis)),
      int(0),
    )
    const x = E.load(0, at, 'float32')
    const count = points.reduce((a, b) => a * b, 1)
    const kernel: FusedKernel = {
      name: 'parts',
      inputs: [{ dtype: 'float32', length }],
      axes,
      reduced,
      reductions: [
        { combine: 'sum', dtype: 'float32', term: x },
        { combine: 'max', dtype: 'float32', term: x },
        { combine: 'sum', dtype: 'int32', term: E.cast(E.lt(x, E.num(0.5, 'float32')), 'int32') },
      ],
      stores: [
        { dtype: 'float32', length, index: at, value: E.mul(x, E.num(2, 'float32')) },
        {
          dtype: 'float32',
          length: count,
          index: kept,
          value: E.sub(E.acc(0, 'float32'), E.acc(1, 'float32')),
        },
        { dtype: 'int32', length: count, index: kept, value: E.acc(2, 'int32') },
      ],
    }
    verifyKernel(kernel)
    const next = random(7)
    const data = Float32Array.from({ length }, () => next())
    const { workspaceBytes } = device.fuse(kernel) as Kernel
    expect(workspaceBytes).toBeGreaterThan(0)
    const [doubled, sums, counts] = runAll(kernel, [data])
    const expected = interpretKernel(kernel, [data])
    expect(doubled).toEqual(expected[0])
    expect(counts).toEqual(expected[2])
    sums!.forEach((sum, i) => expect(Number(sum)).toBeCloseTo(Number(expected[1]![i]), 2))
  })
})
