// The error function: an odd polynomial near 0, and 1 - e^(t·q(t)) beyond 1, where the logarithm of erfc is smooth.
import { isNaN } from '../half.ts'
import type { WgslFunction } from '../shader.ts'
import { withSign } from './bits.ts'
import { exp } from './exp.ts'
import { polynomial } from './polynomial.ts'

/** erf(x) / x - 1 in x² for |x| ≤ 1: minimax fit, relative error 1.3e-9. */
const nearRest = [
  7.8540087661e-5, -8.0102418979e-4, 5.1883337738e-3, -2.6853815627e-2, 1.1283585258e-1, -3.7612625838e-1,
  1.2837916573e-1,
]

/** log(erfc t) / t for 1 ≤ t ≤ 4: minimax fit, error of the resulting erf 4e-10. */
const farQuotient = [
  -1.3962443992e-5, 3.5059204686e-4, -3.7574769031e-3, 2.4010068827e-2, -1.0653086573e-1, -6.3496953088e-1,
  -1.1286943369,
]

/** Error function. At most 2.5 ulp, also around 0. */
export const erf: WgslFunction = {
  name: 'error_function',
  needs: [isNaN, withSign, exp],
  code: `
fn error_function(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let size = abs(x);
  let square = x * x;
  if (size < 1.0) { return with_sign(size * (1.0 + ${polynomial('square', nearRest)}), x); }
  // From 4 on the result is 1.
  let t = min(size, 4.0);
  return with_sign(1.0 - exp_of(t * ${polynomial('t', farQuotient)}), x);
}`,
}
