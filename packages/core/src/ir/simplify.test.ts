import { describe, expect, it } from 'vitest'
import type { Expr } from './expr.ts'
import { E } from './expr.ts'
import { interpretKernel } from './interpret.ts'
import { simpleKernel } from './kernel.ts'
import { Simplifier } from './simplify.ts'
import { flatIndex, int, unflatten } from './view.ts'

describe('Simplifier', () => {
  it('makes equal expressions one object', () => {
    const s = new Simplifier([4])
    const load = () => E.load(0, E.axis(0), 'float32')
    expect(s.simplify(E.add(load(), load()))).toBe(s.simplify(E.add(load(), load())))
  })
  it('folds constants and drops what does nothing', () => {
    const s = new Simplifier([4])
    const x = E.load(0, E.axis(0), 'float32')
    expect(s.simplify(E.mul(x, E.add(E.num(0.5, 'float32'), E.num(0.5, 'float32'))))).toBe(s.simplify(x))
    expect(s.simplify(E.exp(E.num(0, 'float32')))).toEqual(E.num(1, 'float32'))
  })
  it('keeps x + 0, which turns -0 into 0', () => {
    const s = new Simplifier([4])
    expect(s.simplify(E.add(E.load(0, E.axis(0), 'float32'), E.num(0, 'float32'))).op).toBe('add')
  })
  it('puts a position together again that was taken apart', () => {
    for (const [shape, through] of [
      [[24], [2, 3, 4]],
      [
        [4, 6],
        [6, 4],
      ],
      [[2, 3, 4], [24]],
      [
        [2, 12],
        [3, 8],
      ],
    ] as const) {
      const s = new Simplifier(shape)
      const flat = flatIndex(
        shape.map((_, i) => E.axis(i)),
        shape,
      )
      expect(s.simplify(flatIndex(unflatten(flat, through), through))).toBe(s.simplify(flat))
    }
  })
  it('divides sums of multiples', () => {
    const s = new Simplifier([5, 4])
    const flat = E.add(E.mul(E.axis(0), int(4)), E.axis(1))
    expect(s.simplify(E.div(flat, int(4)))).toBe(s.simplify(E.axis(0)))
    expect(s.simplify(E.rem(flat, int(4)))).toBe(s.simplify(E.axis(1)))
  })
  it('decides comparisons by ranges', () => {
    const s = new Simplifier([5])
    expect(s.simplify(E.lt(E.axis(0), int(5)))).toEqual(E.num(1, 'bool'))
    expect(s.simplify(E.lt(E.axis(0), int(4))).op).toBe('lt')
  })
  it('rounds constants as stored elements are', () => {
    expect(E.num(0.1, 'float32')).toEqual(E.num(Math.fround(0.1), 'float32'))
    expect(E.num(2 ** 31, 'int32')).toEqual(int(-(2 ** 31)))
  })
  it('joins two divisions only where the divisors have an int32 product', () => {
    const least = E.div(E.div(E.load(0, E.axis(0), 'int32'), int(2 ** 16)), int(2 ** 15))
    expect(valuesOf(new Simplifier([extremes.length]).simplify(least))).toEqual(valuesOf(least))
    const zero = E.div(E.div(E.load(0, E.axis(0), 'int32'), int(100000)), int(100000))
    expect(new Simplifier([extremes.length]).simplify(zero)).toEqual(int(0))
  })
  it('keeps a rest by zero', () => {
    const x = E.load(0, E.axis(0), 'int32')
    const sum = E.add(E.rem(x, int(0)), x)
    expect(valuesOf(new Simplifier([extremes.length]).simplify(sum))).toEqual([...extremes])
  })
  it('multiplies coefficients as int32 does', () => {
    const [x, most] = [E.load(0, E.axis(0), 'int32'), int(2 ** 31 - 1)]
    const product = E.mul(E.add(E.mul(x, most), int(1)), most)
    expect(valuesOf(new Simplifier([extremes.length]).simplify(product))).toEqual(valuesOf(product))
  })
  it('does not change the value of any int32 expression', () => {
    const random = xorshift(20240229)
    for (let trial = 0; trial < 1500; trial++) {
      const e = randomExpression(random)
      const simple = new Simplifier([extremes.length]).simplify(e)
      expect(valuesOf(simple), JSON.stringify(e)).toEqual(valuesOf(e))
    }
  })
})

const extremes = Int32Array.of(0, 1, -1, 5, -7, 123456789, 2 ** 31 - 1, 1 - 2 ** 31, -(2 ** 31))
const constants = [0, 1, 2, 3, 4, 7, 10, 24, -1, -3, 32768, 65536, 100000, 2 ** 31 - 1, -(2 ** 31)]

/** What an int32 expression over one axis and one input is for every extreme. */
const valuesOf = (body: Expr): number[] => [
  ...(interpretKernel(
    simpleKernel({
      name: 'values',
      inputs: [{ dtype: 'int32', length: extremes.length }],
      output: { dtype: 'int32', length: extremes.length },
      axes: [extremes.length],
      reduced: 0,
      body,
    }),
    [extremes],
  )[0] as Int32Array),
]

/** Numbers in [0, 1) that a seed fixes (Marsaglia's xorshift32). */
function xorshift(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** An expression of eight operations over the axis, the input and constants, sharing its parts. */
function randomExpression(random: () => number): Expr {
  const one = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!
  const parts: Expr[] = [E.axis(0), E.load(0, E.axis(0), 'int32')]
  const part = (): Expr => (random() < 0.3 ? int(one(constants)) : one(parts))
  const constant = (): Expr => int(one(constants))
  const makers: readonly (() => Expr)[] = [
    () => E.add(part(), part()),
    () => E.sub(part(), part()),
    () => E.mul(part(), part()),
    () => E.mul(part(), constant()),
    () => E.div(part(), constant()),
    () => E.rem(part(), constant()),
    () => E.rem(E.max(part(), int(0)), constant()),
    () => E.div(E.max(part(), int(0)), constant()),
    () => E.min(part(), part()),
    () => E.neg(part()),
    () => E.select(one([E.lt, E.le])(part(), part()), part(), part()),
  ]
  for (let i = 0; i < 8; i++) parts.push(one(makers)())
  return parts.at(-1)!
}
