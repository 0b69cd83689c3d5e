// Inverse hyperbolic functions as logarithms of one plus something that is exact around 0.
import { f32x4, v128 } from '../wasm/index.ts'
import type { LaneFunction, Lanes, Vector } from './lanes.ts'
import { log, log1p } from './log.ts'

/** Beyond it x² + 1 is x², and 2·x is the whole argument of the logarithm. */
const large = 2 ** 15

/** log(2·x) where x is large, without overflow. */
const logOfDouble = (lanes: Lanes, x: Vector): Vector => f32x4.add(log(lanes, x), lanes.number(Math.LN2))

/** Inverse hyperbolic sine: log(1 + (a + a² / (1 + √(a² + 1)))) with a = |x|. At most 3 ulp, also around 0. */
export const asinh: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const a = lanes.let(lanes.abs(x))
  const one = lanes.number(1)
  const square = lanes.let(f32x4.mul(a, a))
  const root = f32x4.sqrt(f32x4.add(square, one))
  const near = log1p(lanes, f32x4.add(a, f32x4.div(square, f32x4.add(root, one))))
  const positive = lanes.select(f32x4.gt(a, lanes.number(large)), logOfDouble(lanes, a), near)
  return v128.or(positive, lanes.sign(x))
}

/** Inverse hyperbolic cosine: log(1 + (t + √(2t + t²))) with t = x - 1. At most 3 ulp; NaN below 1. */
export const acosh: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const t = lanes.let(f32x4.sub(x, lanes.number(1)))
  const root = f32x4.sqrt(f32x4.mul(t, f32x4.add(t, lanes.number(2))))
  const near = lanes.let(log1p(lanes, f32x4.add(t, root)))
  const result = lanes.select(f32x4.gt(x, lanes.number(large)), logOfDouble(lanes, x), near)
  // Far below 1 the product under the root is positive again.
  return lanes.select(f32x4.lt(x, lanes.number(1)), lanes.number(Number.NaN), result)
}

/** Inverse hyperbolic tangent: ½ · log(1 + 2a / (1 - a)) with a = |x|. At most 3 ulp, also around 0; ±Infinity at ±1, NaN beyond. */
export const atanh: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const a = lanes.let(lanes.abs(x))
  const ratio = f32x4.div(f32x4.add(a, a), f32x4.sub(lanes.number(1), a))
  const half = f32x4.mul(log1p(lanes, ratio), lanes.number(0.5))
  // Tiny x, subnormal ones among them, are their own result.
  const positive = lanes.select(f32x4.lt(a, lanes.number(2 ** -13)), a, half)
  return v128.or(positive, lanes.sign(x))
}
