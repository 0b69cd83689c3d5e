// Powers: 2^(y·log2 |x|) in double precision, two lanes at a time, then the signs and special cases of JavaScript's Math.pow.
import { f32x4, f64x2, i64x2, type Local, type Value, v128 } from '../wasm/index.ts'
import type { LaneFunction2, Lanes, Vector } from './lanes.ts'

/** 1.5 · 2^52, whose low bits are an integer when a small one is added; and its bits. */
const magic = 1.5 * 2 ** 52
const magicBits = 0x4338000000000000n

/** The bits of √½, less 1024 in the exponent, so that exponents come out positive. */
const biasedSqrtHalf = 0x3fe6a09e667f3bcdn - (1024n << 52n)

/** log2((1 + s) / (1 - s)) / s in s², |s| ≤ 0.1716: the series 2 / ln 2 · Σ s^2i / (2i + 1); relative error 3e-14. */
const log2Series = [15, 13, 11, 9, 7, 5, 3, 1].map((odd) => 2 / Math.LN2 / odd)

/** 2^r for |r| ≤ ½: the series Σ (r ln 2)^i / i!; relative error 7e-12. */
const exp2Series = Array.from({ length: 10 }, (_, i) => 9 - i).map((i) => Math.LN2 ** i / factorial(i))

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1)
}

/** The same arithmetic for two float64 lanes. */
class Doubles {
  readonly lanes: Lanes

  constructor(lanes: Lanes) {
    this.lanes = lanes
  }

  number(value: number): Local<'v128'> {
    return this.lanes.f.constant(f64x2.const(value))
  }

  bits(value: bigint): Local<'v128'> {
    return this.lanes.f.constant(i64x2.const(value))
  }

  polynomial(x: Local<'v128'>, [highest = 0, ...others]: readonly number[]): Vector {
    return others.reduce<Vector>(
      (sum, coefficient) => f64x2.add(f64x2.mul(sum, x), this.number(coefficient)),
      this.number(highest),
    )
  }

  /** log2 of numbers ≥ 0 (or NaN) that were float32: their double is always normal, or 0. */
  log2(x: Local<'v128'>): Local<'v128'> {
    const { lanes } = this
    const exponent = lanes.let(i64x2.shr_u(i64x2.sub(x, this.bits(biasedSqrtHalf)), 52))
    const mantissa = lanes.let(i64x2.sub(x, i64x2.shl(i64x2.sub(exponent, this.bits(1024n)), 52)))
    const one = this.number(1)
    const s = lanes.let(f64x2.div(f64x2.sub(mantissa, one), f64x2.add(mantissa, one)))
    const square = lanes.let(f64x2.mul(s, s))
    const whole = f64x2.sub(i64x2.add(exponent, this.bits(magicBits)), this.number(magic + 1024))
    const finite = f64x2.add(whole, f64x2.mul(s, this.polynomial(square, log2Series)))
    // Infinity and NaN are their own logarithms.
    const infinity = this.number(Infinity)
    const ordinary = lanes.select(f64x2.lt(x, infinity), finite, x)
    return lanes.let(lanes.select(f64x2.eq(x, this.number(0)), this.number(-Infinity), ordinary))
  }

  /** 2^x, where float32 can hold it; NaN stays. */
  exp2(argument: Value<'v128'>): Value<'v128'> {
    const { lanes } = this
    const x = lanes.let(f64x2.pmax(f64x2.pmin(argument, this.number(200)), this.number(-200)))
    const shifted = lanes.let(f64x2.add(x, this.number(magic)))
    const r = lanes.let(f64x2.sub(x, f64x2.sub(shifted, this.number(magic))))
    return f64x2.mul(this.polynomial(r, exp2Series), i64x2.shl(i64x2.add(shifted, this.bits(1023n)), 52))
  }
}

/** x^y as Math.pow: x^0 is 1 for every x, (±1)^±Infinity and powers of negative numbers that are not whole are NaN. At most 0.6 ulp. */
export const pow: LaneFunction2 = (lanes, base, exponent) => {
  const x = lanes.let(base)
  const y = lanes.let(exponent)
  const doubles = new Doubles(lanes)
  const size = lanes.let(lanes.abs(x))
  const half = (first: Vector, second: Vector) => {
    const logarithm = doubles.log2(lanes.let(f64x2.promote_low_f32x4(first)))
    const power = doubles.exp2(f64x2.mul(f64x2.promote_low_f32x4(second), logarithm))
    return lanes.let(f32x4.demote_f64x2_zero(power))
  }
  const low = half(size, y)
  const high = half(v128.shuffle(size, size, [1, 1]), v128.shuffle(y, y, [1, 1]))
  const positive = v128.shuffle(low, high, [0, 2])

  const whole = lanes.let(f32x4.eq(f32x4.trunc(y), y))
  const halfOfY = lanes.let(f32x4.mul(y, lanes.number(0.5)))
  const odd = v128.andnot(whole, f32x4.eq(f32x4.trunc(halfOfY), halfOfY))
  const signed = v128.or(positive, v128.and(lanes.sign(x), odd))
  const negative = v128.and(f32x4.lt(x, lanes.number(0)), f32x4.gt(x, lanes.number(-Infinity)))
  const defined = lanes.select(v128.andnot(negative, whole), lanes.number(Number.NaN), signed)
  return lanes.select(f32x4.eq(y, lanes.number(0)), lanes.number(1), defined)
}
