// Hyperbolic functions from exponentials, arranged so that nothing cancels around 0 or overflows early.
import { f32x4, v128 } from '../wasm/index.ts'
import { halfExp, negativeExpm1 } from './exp.ts'
import type { LaneFunction } from './lanes.ts'

/** (sinh x - x) / x³ in x² for |x| ≤ 1; coefficients of Cephes' sinhf. */
const sineRest = [2.03721912945e-4, 8.33028376239e-3, 1.66667160211e-1]

/** Hyperbolic tangent: -t / (t + 2) with t = e^(-2|x|) - 1. At most 3 ulp, also around 0. */
export const tanh: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const t = lanes.let(negativeExpm1(lanes, f32x4.mul(lanes.abs(x), lanes.number(-2))))
  return v128.or(lanes.abs(f32x4.div(t, f32x4.add(t, lanes.number(2)))), lanes.sign(x))
}

/** Hyperbolic sine. At most 2 ulp; overflows where the true value does. */
export const sinh: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const size = lanes.let(lanes.abs(x))
  const square = lanes.let(f32x4.mul(x, x))
  const near = lanes.multiplyAdd(f32x4.mul(size, square), lanes.polynomial(square, sineRest), size)
  const half = lanes.let(halfExp(lanes, size))
  const far = f32x4.sub(half, f32x4.div(lanes.number(0.25), half))
  const positive = lanes.select(f32x4.lt(size, lanes.number(1)), near, far)
  return v128.or(positive, lanes.sign(x))
}

/** Hyperbolic cosine. At most 2 ulp; overflows where the true value does. */
export const cosh: LaneFunction = (lanes, argument) => {
  const half = lanes.let(halfExp(lanes, lanes.abs(argument)))
  return f32x4.add(half, f32x4.div(lanes.number(0.25), half))
}
