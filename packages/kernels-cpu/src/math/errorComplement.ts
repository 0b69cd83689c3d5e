// The complement of the error function: 1 - erf(x) up to 1, beyond it e^(-x²)/x times a polynomial in 1/x².
import { f32x4, v128 } from '../wasm/index.ts'
import { erf } from './erf.ts'
import { exp } from './exp.ts'
import type { LaneFunction, Lanes, Vector } from './lanes.ts'

/** x·e^(x²)·erfc(x) in 1/x² for 1 ≤ x < 2; coefficients of Cephes' ndtrf. */
const middle = [
  2.326819970068386e-2, -1.387039388740657e-1, 3.687424674597105e-1, -5.824733027278666e-1,
  6.210004621745983e-1, -4.944515323274145e-1, 3.404879937665872e-1, -2.741127028184656e-1,
  5.638259427386472e-1,
]

/** The same for x ≥ 2. */
const tail = [
  -1.047766399936249e1, 1.297719955372516e1, -7.495518717768503, 2.921019019210786, -1.0152652792027,
  4.218463358204948e-1, -2.820767439740514e-1, 5.641895067754075e-1,
]

/** e^(-x²), with the rounding error of x² made good: x is a high part, whose square is exact, and a rest. */
function gaussian(lanes: Lanes, x: Vector): Vector {
  const high = lanes.let(v128.and(x, lanes.bits(0xfffff000)))
  const rest = f32x4.mul(f32x4.sub(high, x), f32x4.add(high, x))
  const decay = exp(lanes, f32x4.neg(f32x4.mul(high, high)))
  return f32x4.mul(decay, exp(lanes, rest))
}

/** 1 - erf(x). At most 8 ulp, also where it is small. */
export const erfc: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const one = lanes.number(1)
  const near = f32x4.sub(one, erf(lanes, x))
  // Beyond 11 the result is 0; operands in this order keep a NaN.
  const size = lanes.let(f32x4.pmax(f32x4.pmin(x, lanes.number(11)), one))
  const quotient = lanes.let(f32x4.div(one, size))
  const square = lanes.let(f32x4.mul(quotient, quotient))
  const factor = lanes.select(
    f32x4.lt(size, lanes.number(2)),
    lanes.polynomial(square, middle),
    lanes.polynomial(square, tail),
  )
  const far = f32x4.mul(f32x4.mul(gaussian(lanes, size), quotient), factor)
  return lanes.select(f32x4.lt(x, one), near, far)
}
