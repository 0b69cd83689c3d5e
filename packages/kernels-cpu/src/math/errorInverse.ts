// The inverse of the error function: x · p(w) with w = -log(1 - x²), one polynomial for the middle and one in √w for the tails.
import { f32x4, v128 } from '../wasm/index.ts'
import type { LaneFunction } from './lanes.ts'
import { log } from './log.ts'

/** In w - 2.5 for w < 5. Coefficients of M. Giles, Approximating the erfinv function, GPU Computing Gems 2, 2012. */
const middle = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 2.1858087e-4, -1.25372503e-3, -4.17768164e-3,
  2.46640727e-1, 1.50140941,
]

/** In √w - 3 for w ≥ 5, from the same source. */
const tails = [
  -2.00214257e-4, 1.00950558e-4, 1.34934322e-3, -3.67342844e-3, 5.73950773e-3, -7.6224613e-3, 9.43887047e-3,
  1.00167406, 2.83297682,
]

/** The number whose erf is x. At most 6 ulp; ±Infinity at ±1, NaN beyond. */
export const erfinv: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const one = lanes.number(1)
  // As a product, because 1 - x² would lose what x has of digits near 1.
  const rest = f32x4.mul(f32x4.sub(one, x), f32x4.add(one, x))
  const w = lanes.let(f32x4.neg(log(lanes, rest)))
  const near = lanes.polynomial(lanes.let(f32x4.sub(w, lanes.number(2.5))), middle)
  const far = lanes.polynomial(lanes.let(f32x4.sub(f32x4.sqrt(w), lanes.number(3))), tails)
  const inside = f32x4.mul(x, lanes.select(f32x4.lt(w, lanes.number(5)), near, far))
  const border = f32x4.eq(lanes.abs(x), one)
  return lanes.select(border, v128.or(lanes.number(Infinity), lanes.sign(x)), inside)
}
