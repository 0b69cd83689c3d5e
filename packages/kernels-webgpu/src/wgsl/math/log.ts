// Logarithms: x = 2^e · (1 + f) with 1 + f in [√½, √2), a polynomial for log(1 + f), and e·ln 2 added in two parts.
import { isNaN } from '../half.ts'
import type { WgslFunction } from '../shader.ts'
import { floatOf, infinityBits, nanBits, splitBinary } from './bits.ts'
import { polynomial } from './polynomial.ts'

/** The bits of √½. */
const sqrtHalf = '0x3f3504f3u'

/** (log(1 + f) - f + f²/2) / f³; coefficients of Cephes' logf. */
const cubicRest = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
]

/** log(2^exponent · (1 + f)) */
const logOfParts: WgslFunction = {
  name: 'log_of_parts',
  code: `
fn log_of_parts(f: f32, exponent: i32) -> f32 {
  let e = f32(exponent);
  let square = f * f;
  let rest = f * square * ${polynomial('f', cubicRest)};
  let small = fma(square, -0.5, fma(e, -2.12194440054690583e-4, rest));
  return fma(e, 0.693359375, f + small);
}`,
}

/** Natural logarithm. At most 1.6 ulp; subnormal arguments too. -Infinity at 0, NaN below. */
export const log: WgslFunction = {
  name: 'log_of',
  needs: [isNaN, floatOf, splitBinary, logOfParts],
  code: `
fn log_of(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if (is_nan(x) || bits == ${infinityBits}) { return x; }
  if ((bits << 1u) == 0u) { return -float_of(${infinityBits}); }
  if (bits > 0x80000000u) { return float_of(${nanBits}); }
  let parts = split_binary(bits, ${sqrtHalf});
  return log_of_parts(parts.significand - 1.0, parts.exponent);
}`,
}

/** log(1 + x). At most 2.5 ulp, also around 0. -Infinity at -1, NaN below. */
export const log1p: WgslFunction = {
  name: 'log1p_of',
  needs: [logOfParts, log],
  code: `
fn log1p_of(x: f32) -> f32 {
  // So small an x is its own result.
  if (abs(x) < ${2 ** -24}) { return x; }
  // Around 1 the significand is 1 + x itself; elsewhere the logarithm is so large that the rounding of 1 + x does not matter.
  if (x > -0.29 && x < 0.41) { return log_of_parts(x, 0); }
  return log_of(1.0 + x);
}`,
}
