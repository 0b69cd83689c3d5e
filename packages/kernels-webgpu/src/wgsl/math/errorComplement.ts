// The complement of the error function: 1 - erf(x) up to 1, beyond it e^(-x²)/x times a polynomial in 1/x².
import { isNaN } from '../half.ts'
import type { WgslFunction } from '../shader.ts'
import { upperHalf } from './bits.ts'
import { erf } from './erf.ts'
import { exp } from './exp.ts'
import { polynomial } from './polynomial.ts'

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

/** e^(-x²), with the rounding error of x² made good: x is an upper half, whose square is exact, and a rest. */
const gaussian: WgslFunction = {
  name: 'gaussian',
  needs: [upperHalf, exp],
  code: `
fn gaussian(x: f32) -> f32 {
  let upper = upper_half(x);
  return exp_of(-(upper * upper)) * exp_of((upper - x) * (upper + x));
}`,
}

/** 1 - erf(x). At most 9 ulp, also where it is small. */
export const erfc: WgslFunction = {
  name: 'error_complement',
  needs: [isNaN, erf, gaussian],
  code: `
fn error_complement(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x < 1.0) { return 1.0 - error_function(x); }
  // From 11 on the result is 0.
  let size = min(x, 11.0);
  let quotient = 1.0 / size;
  let square = quotient * quotient;
  var factor: f32 = 0.0;
  if (size < 2.0) {
    factor = ${polynomial('square', middle)};
  } else {
    factor = ${polynomial('square', tail)};
  }
  return gaussian(size) * quotient * factor;
}`,
}
