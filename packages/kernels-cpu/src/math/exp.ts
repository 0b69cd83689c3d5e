// Exponentials: x = n·ln 2 + r with |r| ≤ ln 2 / 2, a polynomial for e^r, and 2^n put together from bits.
import { f32x4, i32x4, type Local, v128 } from '../wasm/index.ts'
import type { LaneFunction, Lanes, Vector } from './lanes.ts'

/** Adding it to a small float leaves the nearest integer in the low bits. */
const magic = 1.5 * 2 ** 23
const magicBits = 0x4b400000

/** ln 2 in two parts: the product of the first with an integer below 2^13 is exact. */
const ln2High = 0.693359375
const ln2Low = -2.12194440054690583e-4

/** (e^r - 1 - r) / r² on |r| ≤ ln 2 / 2; coefficients of Cephes' expf. */
const quadraticRest = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
]

interface Reduced {
  /** e^r - 1 */
  readonly fraction: Local<'v128'>
  /** n, as integers. */
  readonly exponent: Local<'v128'>
}

/** x must be within about ±10^4 (or NaN). */
function reduce(lanes: Lanes, x: Local<'v128'>): Reduced {
  const shifted = lanes.let(lanes.multiplyAdd(x, lanes.number(Math.LOG2E), lanes.number(magic)))
  const n = lanes.let(f32x4.sub(shifted, lanes.number(magic)))
  const nearly = lanes.multiplyAdd(n, lanes.number(-ln2High), x)
  const r = lanes.let(lanes.multiplyAdd(n, lanes.number(-ln2Low), nearly))
  const rest = lanes.polynomial(r, quadraticRest)
  return {
    fraction: lanes.let(lanes.multiplyAdd(f32x4.mul(r, r), rest, r)),
    exponent: lanes.let(i32x4.sub(shifted, lanes.bits(magicBits))),
  }
}

/** 2^n for integers n in [-126, 127]. */
function powerOfTwo(lanes: Lanes, n: Vector): Vector {
  return i32x4.shl(i32x4.add(n, lanes.bits(127)), 23)
}

/** e^x · 2^shift in one rounding: right into the subnormals and up to the largest float. */
function scaledExp(lanes: Lanes, argument: Vector, shift: number): Vector {
  // Operands in this order keep a NaN; beyond these bounds the result is Infinity or 0 anyway.
  const bounded = f32x4.pmax(f32x4.pmin(argument, lanes.number(90)), lanes.number(-104))
  const { fraction, exponent } = reduce(lanes, lanes.let(bounded))
  const n = shift === 0 ? exponent : lanes.let(i32x4.add(exponent, lanes.bits(shift)))
  // In two factors, as 2^n itself may not be a normal float.
  const half = lanes.let(i32x4.shr_s(n, 1))
  const scaled = f32x4.mul(f32x4.add(fraction, lanes.number(1)), powerOfTwo(lanes, half))
  return f32x4.mul(scaled, powerOfTwo(lanes, i32x4.sub(n, half)))
}

/** e^x. At most 1.1 ulp from the true value; subnormal results too. */
export const exp: LaneFunction = (lanes, x) => scaledExp(lanes, x, 0)

/** e^x / 2, which does not overflow before sinh and cosh do. At most 1.1 ulp. */
export const halfExp: LaneFunction = (lanes, x) => scaledExp(lanes, x, -1)

/** e^x - 1. At most 1.5 ulp, also around 0. */
export const expm1: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const bounded = f32x4.pmax(f32x4.pmin(x, lanes.number(89)), lanes.number(-18))
  const { fraction, exponent } = reduce(lanes, lanes.let(bounded))
  // With half the power of two, so that it exists for the largest n: 2 · (s·fraction + (s - ½)), s = 2^(n - 1).
  const scale = lanes.let(powerOfTwo(lanes, i32x4.sub(exponent, lanes.bits(1))))
  const half = lanes.multiplyAdd(scale, fraction, f32x4.sub(scale, lanes.number(0.5)))
  // Tiny x, -0 among them, are their own result.
  const tiny = f32x4.lt(lanes.abs(x), lanes.number(2 ** -24))
  return lanes.select(tiny, x, f32x4.mul(half, lanes.number(2)))
}

/** 1 / (1 + e^-x). At most 2.5 ulp, also where the result is subnormal. */
export const sigmoid: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const decay = lanes.let(exp(lanes, v128.or(x, lanes.bits(0x80000000))))
  const numerator = lanes.select(f32x4.lt(x, lanes.number(0)), decay, lanes.number(1))
  return f32x4.div(numerator, f32x4.add(decay, lanes.number(1)))
}
