// log |Γ(x)|: a polynomial around 2 to which the recurrence leads, Stirling's series far out, and reflection below 0.
import type { WgslFunction } from '../shader.ts'
import { floatOf, infinityBits, nanBits, sizeBits } from './bits.ts'
import { log, log1p } from './log.ts'
import { polynomial } from './polynomial.ts'
import { quadrantSine } from './trig.ts'

/** log Γ(2 + z) / z for |z| ≤ ½: minimax fit, relative error 2.4e-9. */
const aroundTwo = [
  -2.698503006e-4, 5.698215122e-4, -1.177842498e-3, 2.879056779e-3, -7.3874271e-3, 2.058160191e-2,
  -6.735221881e-2, 3.224670188e-1, 4.227843345e-1,
]

/** log Γ(2 + z) for |z| ≤ ½. */
const logGammaAroundTwo: WgslFunction = {
  name: 'log_gamma_around_two',
  code: `
fn log_gamma_around_two(z: f32) -> f32 {
  return z * ${polynomial('z', aroundTwo)};
}`,
}

/** log |Γ(x)| for |x| ≤ ½: log Γ(2 + x) - log(1 + x) - log |x|. */
const logGammaAroundZero: WgslFunction = {
  name: 'log_gamma_around_zero',
  needs: [logGammaAroundTwo, log, log1p],
  code: `
fn log_gamma_around_zero(x: f32) -> f32 {
  return log_gamma_around_two(x) - log1p_of(x) - log_of(abs(x));
}`,
}

/** log Γ(x) for x ≥ ½. */
const positiveLogGamma: WgslFunction = {
  name: 'positive_log_gamma',
  needs: [logGammaAroundTwo, log, log1p],
  code: `
fn positive_log_gamma(x: f32) -> f32 {
  if (x < 1.5) { return log_gamma_around_two(x - 1.0) - log1p_of(x - 1.0); }
  if (x < 8.0) {
    var y: f32 = x;
    var product: f32 = 1.0;
    while (y > 2.5) {
      y -= 1.0;
      product *= y;
    }
    return log_of(product) + log_gamma_around_two(y - 2.0);
  }
  // Stirling's series (DLMF 5.11.1), with -x taken into the product, so that less cancels.
  let inverse = 1.0 / min(x, ${2 ** 40});
  let series = inverse * fma(inverse * inverse, ${-1 / 360}, ${1 / 12});
  return fma(x - 0.5, log_of(x) - 1.0, ${0.5 * Math.log(2 * Math.PI) - 0.5} + series);
}`,
}

/** log |Γ(x)|; Infinity at 0, -1, -2, … At most 7 ulp for x > 0; for x < 0, where it has zeros, 8 ulp of the result or of 1, whichever is larger. */
export const lgamma: WgslFunction = {
  name: 'log_gamma',
  needs: [floatOf, sizeBits, log, logGammaAroundZero, positiveLogGamma, quadrantSine],
  code: `
fn log_gamma(x: f32) -> f32 {
  let bits = size_bits(x);
  if (bits > ${infinityBits}) { return float_of(${nanBits}); }
  if (bits == ${infinityBits} || bits == 0u) { return float_of(${infinityBits}); }
  if (abs(x) < 0.5) { return log_gamma_around_zero(x); }
  if (x > 0.0) { return positive_log_gamma(x); }
  // Γ(x) Γ(-x) = -π / (x sin πx): sin πx from the distance to the nearest half, which is exact.
  let whole = round(x);
  if (whole == x) { return float_of(${infinityBits}); }
  let rest = abs(x - whole);
  let sine = select(quadrant_sine(rest * ${Math.PI}, 0u), quadrant_sine((0.5 - rest) * ${Math.PI}, 1u), rest > 0.25);
  return -log_of(-x * (sine * ${1 / Math.PI})) - positive_log_gamma(-x);
}`,
}
