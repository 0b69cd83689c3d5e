import { describe, expect, it } from 'vitest'
import { E } from './expr.ts'
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
})
