// The inverse of the error function: x · p(w) with w = -log(1 - x²), one polynomial for the middle and one in √w for the tails.
import type { WgslFunction } from '../shader.ts'
import { floatOf, infinityBits, nanBits, sizeBits, withSign } from './bits.ts'
import { log } from './log.ts'
import { polynomial } from './polynomial.ts'

/** In w - 2.5 for w < 5. Coefficients of M. Giles, Approximating the erfinv function, GPU Computing Gems 2, 2012. */
const middle = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 2.1858087e-4, -1.25372503e-3, -4.17768164e-3,
  2.46640727e-1, 1.50140941,
]

/** In √w - 3 for w ≥ 5, from the same source. */
const tails = [
  -2.00214257e-4, 1.00950558e-4, 1.34934322e-3, -3.67342844e-3, 5.73950773e-3, -7.6224613e-3, 9.43887047e-3,
  1.00167406, 2.83297682,
]

/** The number whose erf is x. At most 6 ulp; ±Infinity at ±1, NaN beyond. */
export const erfinv: WgslFunction = {
  name: 'error_inverse',
  needs: [floatOf, sizeBits, withSign, log],
  code: `
fn error_inverse(x: f32) -> f32 {
  if (size_bits(x) > 0x3f800000u) { return float_of(${nanBits}); }
  if (abs(x) == 1.0) { return with_sign(float_of(${infinityBits}), x); }
  // As a product, because 1 - x² would lose what x has of digits near 1.
  let w = -log_of((1.0 - x) * (1.0 + x));
  if (w < 5.0) {
    let near = w - 2.5;
    return x * ${polynomial('near', middle)};
  }
  let far = sqrt(w) - 3.0;
  return x * ${polynomial('far', tails)};
}`,
}
