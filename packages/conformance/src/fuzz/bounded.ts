// Random expressions that carry how large they can get and how inexact they can be, so that devices can be compared without guessing.
import type { DType, Expr } from '@shoal/core'
import { dtypes, E } from '@shoal/core'
import type { Random } from '../random.ts'

/** An expression with an absolute bound of its value and of its error; the error counts in units of the dtype's epsilon. Integers have no error. */
export interface Bounded {
  readonly expr: Expr
  readonly magnitude: number
  readonly error: number
}

/** Values above this are clipped before they are used again. */
const ceiling = 16
/** A value more inexact than this is not computed with any further. */
const errorLimit = 2 ** 12

const num = (value: number, dtype: DType): Expr => E.num(dtype === 'int64' ? BigInt(value) : value, dtype)

/** The same value between −limit and limit; exact. */
export function clipped(x: Bounded, limit: number): Bounded {
  if (x.magnitude <= limit) return x
  const { dtype } = x.expr
  return {
    expr: E.max(E.min(x.expr, num(limit, dtype)), num(-limit, dtype)),
    magnitude: limit,
    error: x.error,
  }
}

/** |x| + distance: away from the poles at 0. */
const away = (x: Bounded, distance: number): Bounded => ({
  expr: E.add(E.abs(x.expr), num(distance, x.expr.dtype)),
  magnitude: x.magnitude + distance,
  error: x.error + x.magnitude + distance,
})

/** f(x) where |f'| ≤ slope and |f| ≤ magnitude on the domain, computed to `units` units of the last place. */
const smooth =
  (
    make: (x: Expr) => Expr,
    domain: (x: Bounded) => Bounded,
    slope: number,
    magnitude: number,
    units: number,
  ) =>
  (x: Bounded): Bounded => {
    const inside = domain(x)
    return { expr: make(inside.expr), magnitude, error: slope * inside.error + units * magnitude }
  }
const within =
  (limit: number) =>
  (x: Bounded): Bounded =>
    clipped(x, limit)

type Step = (stream: Random, x: Bounded, y: Bounded) => Bounded

const unaryFloat: readonly ((x: Bounded) => Bounded)[] = [
  (x) => ({ ...x, expr: E.neg(x.expr) }),
  (x) => ({ ...x, expr: E.abs(x.expr) }),
  smooth(E.exp, within(2), 7.4, 7.4, 4),
  smooth(E.expm1, within(2), 7.4, 7.4, 4),
  smooth(E.log, (x) => away(x, 0.5), 2, 4, 4),
  smooth(E.log1p, (x) => away(x, 0.25), 1, 4, 4),
  smooth(E.sqrt, (x) => away(x, 0.25), 1, 5, 2),
  smooth(E.sin, within(8), 1, 1, 4),
  smooth(E.cos, within(8), 1, 1, 4),
  smooth(E.tan, within(1), 3.5, 1.6, 6),
  smooth(E.asin, within(0.5), 1.2, 0.6, 6),
  smooth(E.acos, within(0.5), 1.2, 2.2, 6),
  smooth(E.atan, within(8), 1, 1.6, 4),
  smooth(E.sinh, within(2), 3.8, 3.7, 6),
  smooth(E.cosh, within(2), 3.7, 3.8, 6),
  smooth(E.tanh, within(8), 1, 1, 6),
  smooth(E.asinh, within(8), 1, 2.8, 6),
  smooth(E.acosh, (x) => away(x, 1.5), 0.9, 4, 6),
  smooth(E.atanh, within(0.5), 1.4, 0.6, 6),
  smooth(E.erf, within(4), 1.2, 1, 8),
  smooth(E.erfc, within(4), 1.2, 2, 16),
  smooth(E.erfinv, within(0.75), 1.8, 0.9, 16),
  smooth(E.lgamma, (x) => away(clipped(x, 8), 0.5), 2.2, 10, 32),
  smooth(E.digamma, (x) => away(clipped(x, 8), 0.5), 5, 3, 32),
]

const product = (x: Bounded, y: Bounded): Bounded => {
  const magnitude = x.magnitude * y.magnitude
  return {
    expr: E.mul(x.expr, y.expr),
    magnitude,
    error: x.magnitude * y.error + y.magnitude * x.error + magnitude,
  }
}
const sum =
  (make: (a: Expr, b: Expr) => Expr) =>
  (x: Bounded, y: Bounded): Bounded => {
    const magnitude = x.magnitude + y.magnitude
    return { expr: make(x.expr, y.expr), magnitude, error: x.error + y.error + magnitude }
  }
const either =
  (make: (a: Expr, b: Expr) => Expr) =>
  (x: Bounded, y: Bounded): Bounded => ({
    expr: make(x.expr, y.expr),
    magnitude: Math.max(x.magnitude, y.magnitude),
    error: Math.max(x.error, y.error),
  })
const quotient = (x: Bounded, y: Bounded): Bounded => {
  const below = away(y, 1)
  return {
    expr: E.div(x.expr, below.expr),
    magnitude: x.magnitude,
    error: x.error + x.magnitude * below.error + 2 * x.magnitude,
  }
}
const power = (x: Bounded, y: Bounded): Bounded => {
  const base = away(clipped(x, 1), 0.5)
  const exponent = clipped(y, 2)
  return {
    expr: E.pow(base.expr, exponent.expr),
    magnitude: 4,
    error: 16 * base.error + 2.8 * exponent.error + 16 * 4,
  }
}

const floatSteps: readonly Step[] = [
  ...unaryFloat.map(
    (f): Step =>
      (_, x) =>
        f(x),
  ),
  ...[sum(E.add), sum(E.sub), product, quotient, power, either(E.min), either(E.max)].map(
    (f): Step =>
      (_, x, y) =>
        f(x, y),
  ),
  (_, x, y) => sum(E.add)(x, y),
  (_, x, y) => product(x, y),
]

const unbounded = (expr: Expr): Bounded => ({ expr, magnitude: Infinity, error: 0 })
const int =
  (make: (a: Expr, b: Expr) => Expr): Step =>
  (_, x, y) =>
    unbounded(make(x.expr, y.expr))
const integerSteps: readonly Step[] = [
  int(E.add),
  int(E.sub),
  int(E.mul),
  int(E.div),
  int(E.rem),
  int(E.min),
  int(E.max),
  int(E.and),
  int(E.or),
  int(E.xor),
  int(E.shl),
  int(E.shr),
  (_, x) => unbounded(E.bitNot(x.expr)),
  (_, x) => unbounded(E.neg(x.expr)),
  (_, x) => unbounded(E.abs(x.expr)),
  (_, x) => unbounded(E.sign(x.expr)),
  (_, x, y) => unbounded(E.pow(x.expr, E.and(y.expr, num(3, y.expr.dtype)))),
]
const boolSteps: readonly Step[] = [
  int(E.and),
  int(E.or),
  int(E.xor),
  int(E.eq),
  int(E.ne),
  (_, x) => unbounded(E.not(x.expr)),
]

const stepsOf = (dtype: DType): readonly Step[] => {
  const { kind } = dtypes[dtype]
  return kind === 'float' ? floatSteps : kind === 'bool' ? boolSteps : integerSteps
}

const equalities = [E.eq, E.ne]
const comparisons = [E.lt, E.le, ...equalities]

/**
 * Combines leaves of one dtype by `steps` random operations into one value. Sub-expressions are shared; decisions (comparisons, rounding) are
 * only made on leaves, which every device holds exactly.
 */
export function grow(stream: Random, leaves: readonly Bounded[], steps: number): Bounded {
  const { dtype } = leaves[0]!.expr
  const pool = [...leaves]
  const table = stepsOf(dtype)
  const rounding = [E.floor, E.ceil, E.round, E.trunc, E.sign]
  for (let i = 0; i < steps; i++) {
    const usable = pool.filter((x) => x.error < errorLimit)
    // The latest values are wanted most, so that expressions grow deep and not only broad.
    const recent = usable.slice(-2)
    const x = stream.next() < 0.7 ? stream.pick(recent) : stream.pick(usable)
    const y = stream.pick(usable)
    const chance = stream.next()
    if (chance < 0.1) {
      const cond = stream.pick(dtype === 'bool' ? equalities : comparisons)(
        stream.pick(leaves).expr,
        stream.pick(leaves).expr,
      )
      pool.push(choose(cond, x, y))
    } else if (chance < 0.18 && dtypes[dtype].kind === 'float') {
      const leaf = stream.pick(leaves)
      pool.push({ expr: stream.pick(rounding)(leaf.expr), magnitude: leaf.magnitude + 1, error: 0 })
    } else {
      const grown = stream.pick(table)(stream, x, y)
      pool.push(dtypes[dtype].kind === 'float' ? clipped(grown, ceiling) : grown)
    }
  }
  return pool.findLast((x) => x.error < errorLimit)!
}

const choose = (cond: Expr, x: Bounded, y: Bounded): Bounded => ({
  expr: E.select(cond, x.expr, y.expr),
  magnitude: Math.max(x.magnitude, y.magnitude),
  error: Math.max(x.error, y.error),
})
