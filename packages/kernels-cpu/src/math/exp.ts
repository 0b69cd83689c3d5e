// Exponentials: x = n·ln 2 + r with |r| ≤ ln 2 / 2, a polynomial for e^r, and 2^n put together from bits.
import { f32x4, i32x4, type Local } from '../wasm/index.ts'
import type { LaneFunction, Lanes, Vector } from './lanes.ts'

/** Adding it to a small float leaves the nearest integer in the low bits; the nine lowest of its own are 0. */
const magic = 1.5 * 2 ** 23

/** ln 2 in two parts: the product of the first with an integer below 2^13 is exact. */
const ln2High = 0.693359375
const ln2Low = -2.12194440054690583e-4

/** (e^r - 1 - r) / r² on |r| ≤ ln 2 / 2: least greatest error relative to e^r - 1, 1.5e-8. */
const quadraticRest = [
  1.389823155477643e-3, 8.366066962480545e-3, 4.166685417294502e-2, 0.1666654795408249, 0.5,
]

interface Reduced {
  /** e^r - 1 */
  readonly fraction: Local<'v128'>
  /** n + bias in the low bits, zeros in the next few. */
  readonly exponent: Local<'v128'>
}

/** x = n·ln 2 + r; x must be within about ±10^4 (or NaN). */
function reduce(lanes: Lanes, x: Local<'v128'>, bias = 0): Reduced {
  const toInteger = lanes.number(magic + bias)
  const exponent = lanes.let(lanes.multiplyAdd(x, lanes.number(Math.LOG2E), toInteger))
  const n = lanes.let(f32x4.sub(exponent, toInteger))
  const nearly = lanes.multiplyAdd(n, lanes.number(-ln2High), x)
  const r = lanes.let(lanes.multiplyAdd(n, lanes.number(-ln2Low), nearly))
  const rest = lanes.polynomial(r, quadraticRest)
  return { fraction: lanes.let(lanes.multiplyAdd(f32x4.mul(r, r), rest, r)), exponent }
}

/** 2^n for an exponent of `reduce`, or half of one, with n in [-126, 127]. */
function powerOfTwo(lanes: Lanes, exponent: Vector): Local<'v128'> {
  return lanes.let(i32x4.add(i32x4.shl(exponent, 23), lanes.number(1)))
}

/** e^x · 2^bias in one rounding: right into the subnormals and up to the largest float. */
function scaledExp(lanes: Lanes, argument: Vector, bias: number): Vector {
  // Operands in this order keep a NaN; beyond these bounds the result is Infinity or 0 anyway.
  const bounded = f32x4.pmax(f32x4.pmin(argument, lanes.number(90)), lanes.number(-104))
  const { fraction, exponent } = reduce(lanes, lanes.let(bounded), bias)
  // In two factors, as 2^n itself may not be a normal float.
  const half = lanes.let(i32x4.shr_u(exponent, 1))
  const scale = powerOfTwo(lanes, half)
  const scaled = lanes.multiplyAdd(scale, fraction, scale)
  return f32x4.mul(scaled, powerOfTwo(lanes, i32x4.sub(exponent, half)))
}

/** e^x. At most 1.1 ulp from the true value; subnormal results too. */
export const exp: LaneFunction = (lanes, x) => scaledExp(lanes, x, 0)

/** e^x / 2, which does not overflow before sinh and cosh do. At most 1.1 ulp. */
export const halfExp: LaneFunction = (lanes, x) => scaledExp(lanes, x, -1)

/** e^x - 1. At most 1.6 ulp, also around 0. */
export const expm1: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const bounded = f32x4.pmax(f32x4.pmin(x, lanes.number(89)), lanes.number(-18))
  // With half the power of two, so that it exists for the largest n: 2 · (s·fraction + (s - ½)), s = 2^(n - 1).
  const { fraction, exponent } = reduce(lanes, lanes.let(bounded), -1)
  const scale = powerOfTwo(lanes, exponent)
  const half = lanes.multiplyAdd(scale, fraction, f32x4.sub(scale, lanes.number(0.5)))
  // Tiny x, -0 among them, are their own result.
  const tiny = f32x4.lt(lanes.abs(x), lanes.number(2 ** -24))
  return lanes.select(tiny, x, f32x4.mul(half, lanes.number(2)))
}

/** e^x - 1 for x ≤ 0, where the sign of a zero does not matter. At most 1.6 ulp, also around 0. */
export const negativeExpm1: LaneFunction = (lanes, x) => {
  const { fraction, exponent } = reduce(lanes, lanes.let(f32x4.pmax(x, lanes.number(-18))))
  const scale = powerOfTwo(lanes, exponent)
  return lanes.multiplyAdd(scale, fraction, f32x4.sub(scale, lanes.number(1)))
}

/** What the numbers of a sigmoid are scaled by, so that e^-x is a normal float for every x that matters. */
const sigmoidBias = -64

/** 1 / (1 + e^-x). At most 2.5 ulp, also where the result is subnormal. */
export const sigmoid: LaneFunction = (lanes, x) => {
  // Above 30 the result is 1, below -104 it is 0. Operands in this order keep a NaN.
  const bounded = f32x4.pmax(f32x4.pmin(x, lanes.number(30)), lanes.number(-104))
  const { fraction, exponent } = reduce(lanes, lanes.let(f32x4.neg(bounded)), sigmoidBias)
  const scale = powerOfTwo(lanes, exponent)
  const one = lanes.number(2 ** sigmoidBias)
  return f32x4.div(one, lanes.multiplyAdd(scale, fraction, f32x4.add(scale, one)))
}
