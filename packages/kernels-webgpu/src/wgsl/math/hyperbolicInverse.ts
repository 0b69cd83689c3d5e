// Inverse hyperbolic functions as logarithms of one plus something that is exact around 0.
import { isNaN } from '../half.ts'
import type { WgslFunction } from '../shader.ts'
import { floatOf, infinityBits, nanBits, root, sizeBits, withSign } from './bits.ts'
import { log, log1p } from './log.ts'

/** Beyond it x² + 1 is x², and 2·x is the whole argument of the logarithm. */
const large = 2 ** 15

/** Inverse hyperbolic sine: log(1 + (a + a² / (1 + √(a² + 1)))) with a = |x|. At most 3.5 ulp, also around 0. */
export const asinh: WgslFunction = {
  name: 'inverse_hyperbolic_sine',
  needs: [isNaN, withSign, log, log1p],
  code: `
fn inverse_hyperbolic_sine(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let a = abs(x);
  if (a > ${large}.0) { return with_sign(log_of(a) + ${Math.LN2}, x); }
  let square = a * a;
  return with_sign(log1p_of(a + square / (1.0 + sqrt(square + 1.0))), x);
}`,
}

/** Inverse hyperbolic cosine: log(1 + (t + √(2t + t²))) with t = x - 1. At most 3 ulp; NaN below 1. */
export const acosh: WgslFunction = {
  name: 'inverse_hyperbolic_cosine',
  needs: [isNaN, floatOf, root, log, log1p],
  code: `
fn inverse_hyperbolic_cosine(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x < 1.0) { return float_of(${nanBits}); }
  if (x > ${large}.0) { return log_of(x) + ${Math.LN2}; }
  let t = x - 1.0;
  return log1p_of(t + root(t * (t + 2.0)));
}`,
}

/** Inverse hyperbolic tangent: ½ · log(1 + 2a / (1 - a)) with a = |x|. At most 6 ulp, 3.2 where division is exact to half an ulp, also around 0; ±Infinity at ±1, NaN beyond. */
export const atanh: WgslFunction = {
  name: 'inverse_hyperbolic_tangent',
  needs: [floatOf, sizeBits, withSign, log1p],
  code: `
fn inverse_hyperbolic_tangent(x: f32) -> f32 {
  if (size_bits(x) > 0x3f800000u) { return float_of(${nanBits}); }
  let a = abs(x);
  if (a == 1.0) { return with_sign(float_of(${infinityBits}), x); }
  // So small an x is its own result.
  if (a < ${2 ** -12}) { return x; }
  return with_sign(0.5 * log1p_of((a + a) / (1.0 - a)), x);
}`,
}
