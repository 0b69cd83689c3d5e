// Logarithms: x = 2^e · (1 + f) with 1 + f in [√½, √2), a polynomial for log(1 + f), and e·ln 2 added in two parts.
import { f32x4, i32x4, type Local, v128 } from '../wasm/index.ts'
import type { LaneFunction, Lanes, Vector } from './lanes.ts'

/** The bits of √½. */
const sqrtHalf = 0x3f3504f3

/** (log(1 + f) - f + f²/2) / f³; coefficients of Cephes' logf. */
const cubicRest = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
]

interface Reduced {
  /** e as integers. */
  readonly exponent: Local<'v128'>
  /** 1 + f. */
  readonly mantissa: Vector
}

/** For positive normal x. */
function reduce(lanes: Lanes, x: Local<'v128'>): Reduced {
  const exponent = lanes.let(i32x4.shr_s(i32x4.sub(x, lanes.bits(sqrtHalf)), 23))
  return { exponent, mantissa: i32x4.sub(x, i32x4.shl(exponent, 23)) }
}

/** log(2^e · (1 + f)) */
function combine(lanes: Lanes, f: Local<'v128'>, exponent: Vector): Vector {
  const e = lanes.let(f32x4.convert_i32x4_s(exponent))
  const square = lanes.let(f32x4.mul(f, f))
  const rest = f32x4.mul(f32x4.mul(f, square), lanes.polynomial(f, cubicRest))
  const low = lanes.multiplyAdd(e, lanes.number(-2.12194440054690583e-4), rest)
  const small = lanes.multiplyAdd(square, lanes.number(-0.5), low)
  return lanes.multiplyAdd(e, lanes.number(0.693359375), f32x4.add(f, small))
}

/** Puts in what the formula does not give: `result` where 0 < x < Infinity, and -Infinity, Infinity or NaN elsewhere. */
function atBorders(lanes: Lanes, x: Local<'v128'>, result: Vector): Vector {
  const infinity = lanes.number(Infinity)
  const positive = f32x4.gt(x, lanes.number(0))
  const other = lanes.select(
    f32x4.eq(x, lanes.number(0)),
    lanes.number(-Infinity),
    // x - x is NaN for NaN and Infinity, and the sign does not matter.
    lanes.select(f32x4.eq(x, infinity), infinity, lanes.number(Number.NaN)),
  )
  return lanes.select(v128.and(positive, f32x4.lt(x, infinity)), result, other)
}

/** Natural logarithm. At most 1.0 ulp; subnormal arguments too. -Infinity at 0, NaN below. */
export const log: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const subnormal = lanes.let(f32x4.lt(x, lanes.number(2 ** -126)))
  const normal = lanes.let(lanes.select(subnormal, f32x4.mul(x, lanes.number(2 ** 23)), x))
  const { exponent, mantissa } = reduce(lanes, normal)
  const f = lanes.let(f32x4.sub(mantissa, lanes.number(1)))
  const shifted = i32x4.sub(exponent, v128.and(subnormal, lanes.bits(23)))
  return atBorders(lanes, x, combine(lanes, f, shifted))
}

/** log(1 + x). At most 1.5 ulp, also around 0. -Infinity at -1, NaN below. */
export const log1p: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const one = lanes.number(1)
  const sum = lanes.let(f32x4.add(x, one))
  const { exponent, mantissa } = reduce(lanes, sum)
  // What was lost in 1 + x comes back into f, scaled as the mantissa is; 2^-e is 0 where it no longer matters.
  const lost = lanes.select(
    f32x4.gt(x, one),
    f32x4.sub(one, f32x4.sub(sum, x)),
    f32x4.sub(x, f32x4.sub(sum, one)),
  )
  const scale = i32x4.shl(i32x4.max_s(i32x4.sub(lanes.bits(127), exponent), lanes.bits(0)), 23)
  const f = lanes.let(f32x4.add(f32x4.sub(mantissa, one), f32x4.mul(lost, scale)))
  const tiny = f32x4.lt(lanes.abs(x), lanes.number(2 ** -24))
  return lanes.select(tiny, x, atBorders(lanes, sum, combine(lanes, f, exponent)))
}
