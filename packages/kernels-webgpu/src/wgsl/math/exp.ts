// Exponentials: x = n·ln 2 + r with |r| ≤ ln 2 / 2, a polynomial for e^r - 1, and 2^n put together from bits.
import { isNaN } from '../half.ts'
import type { WgslFunction } from '../shader.ts'
import { powerOfTwo, scaled, sealed } from './bits.ts'
import { polynomial } from './polynomial.ts'

/** ln 2 in two parts: the product of the first with an integer below 2^13 is exact. */
const ln2High = 0.693359375
const ln2Low = -2.12194440054690583e-4

/** (e^r - 1 - r) / r² on |r| ≤ ln 2 / 2: least greatest error relative to e^r - 1, 1.5e-8. */
const quadraticRest = [
  1.389823155477643e-3, 8.366066962480545e-3, 4.166685417294502e-2, 0.1666654795408249, 0.5,
]

/** e^r - 1 for |r| ≤ ln 2 / 2. At most 1 ulp. */
export const expFraction: WgslFunction = {
  name: 'exp_fraction',
  code: `
fn exp_fraction(r: f32) -> f32 {
  return fma(r * r, ${polynomial('r', quadraticRest)}, r);
}`,
}

/** x - n·ln 2. The first difference is sealed: a compiler that made n·(a + b) of n·a + n·b would lose what the parts are for. */
const expRest: WgslFunction = {
  name: 'exp_rest',
  needs: [sealed],
  code: `
fn exp_rest(x: f32, n: f32) -> f32 {
  return fma(n, ${-ln2Low}, sealed(fma(n, ${-ln2High}, x)));
}`,
}

/** e^x · 2^bias, in one rounding also where the result is subnormal. */
const scaledExp: WgslFunction = {
  name: 'scaled_exp',
  needs: [isNaN, expFraction, expRest, scaled],
  code: `
fn scaled_exp(x: f32, bias: i32) -> f32 {
  if (is_nan(x)) { return x; }
  // Beyond these bounds the result is infinite or 0 anyway.
  let bounded = clamp(x, -104.0, 90.0);
  let n = round(bounded * ${Math.LOG2E});
  return scaled(1.0 + exp_fraction(exp_rest(bounded, n)), i32(n) + bias);
}`,
}

/** e^x. At most 1.5 ulp; subnormal results as well where the device has them. */
export const exp: WgslFunction = {
  name: 'exp_of',
  needs: [scaledExp],
  code: `
fn exp_of(x: f32) -> f32 {
  return scaled_exp(x, 0);
}`,
}

/** e^x / 2, which does not overflow before sinh and cosh do. At most 1.5 ulp. */
export const halfExp: WgslFunction = {
  name: 'half_exp',
  needs: [scaledExp],
  code: `
fn half_exp(x: f32) -> f32 {
  return scaled_exp(x, -1);
}`,
}

/** e^x - 1. At most 3 ulp, also around 0. */
export const expm1: WgslFunction = {
  name: 'expm1_of',
  needs: [isNaN, expFraction, expRest, powerOfTwo, exp],
  code: `
fn expm1_of(x: f32) -> f32 {
  // Tiny x, -0 among them, are their own result.
  if (is_nan(x) || abs(x) < ${2 ** -24}) { return x; }
  if (abs(x) < 0.34) { return exp_fraction(x); }
  if (x > 18.0) { return exp_of(x); }
  let bounded = max(x, -18.0);
  let n = round(bounded * ${Math.LOG2E});
  let power = power_of_two(i32(n));
  return fma(power, exp_fraction(exp_rest(bounded, n)), power - 1.0);
}`,
}
