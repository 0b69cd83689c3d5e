// Hyperbolic functions from exponentials, arranged so that nothing cancels around 0 or overflows early.
import { isNaN } from '../half.ts'
import type { WgslFunction } from '../shader.ts'
import { withSign } from './bits.ts'
import { exp, halfExp } from './exp.ts'
import { polynomial } from './polynomial.ts'

/** (sinh x - x) / x³ in x² for |x| ≤ 1, and (tanh x - x) / x³ for |x| ≤ 0.625; coefficients of Cephes' sinhf and tanhf. */
const sineRest = [2.03721912945e-4, 8.33028376239e-3, 1.66667160211e-1]
const tangentRest = [
  -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1,
]

/** Hyperbolic sine. At most 1.8 ulp; overflows where the true value does. */
export const sinh: WgslFunction = {
  name: 'hyperbolic_sine',
  needs: [isNaN, withSign, halfExp],
  code: `
fn hyperbolic_sine(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let size = abs(x);
  let square = x * x;
  if (size < 1.0) { return with_sign(fma(size * square, ${polynomial('square', sineRest)}, size), x); }
  // Where the other half no longer matters, its divisor is kept small: quotients by huge numbers may be wrong.
  let half = half_exp(size);
  return with_sign(half - 0.25 / min(half, ${2 ** 40}), x);
}`,
}

/** Hyperbolic cosine. At most 1.6 ulp; overflows where the true value does. */
export const cosh: WgslFunction = {
  name: 'hyperbolic_cosine',
  needs: [isNaN, halfExp],
  code: `
fn hyperbolic_cosine(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let half = half_exp(abs(x));
  return half + 0.25 / min(half, ${2 ** 40});
}`,
}

/** Hyperbolic tangent. At most 2.5 ulp, also around 0. */
export const tanh: WgslFunction = {
  name: 'hyperbolic_tangent',
  needs: [isNaN, withSign, exp],
  code: `
fn hyperbolic_tangent(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let size = abs(x);
  let square = x * x;
  if (size < 0.625) { return with_sign(fma(size * square, ${polynomial('square', tangentRest)}, size), x); }
  // From 10 on the result is 1.
  return with_sign(1.0 - 2.0 / (exp_of(2.0 * min(size, 10.0)) + 1.0), x);
}`,
}
