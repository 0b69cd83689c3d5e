// ψ, the derivative of log Γ: a polynomial around its positive root, the recurrence up to where Stirling's series holds, reflection below 0.
import type { WgslFunction } from '../shader.ts'
import { floatOf, infinityBits, nanBits, scaled, sealed, sizeBits, splitBinary } from './bits.ts'
import { log } from './log.ts'
import { polynomial } from './polynomial.ts'
import { nearTangent } from './trig.ts'

/** The positive root in two parts, the first a float32. */
const rootHigh = 1.4616321325302124
const rootLow = 1.24381499389e-8

/** ψ(root + d) / d for |d| ≤ 0.3: minimax fit, relative error 1.4e-9. */
const aroundRoot = [
  2.505127522e-2, -3.649572229e-2, 4.861567256e-2, -7.196966516e-2, 1.078297917e-1, -1.639485118e-1,
  2.584997021e-1, -4.427631296e-1, 9.676722455e-1,
]

/** ψ(x) for x > 0. */
const positiveDigamma: WgslFunction = {
  name: 'positive_digamma',
  needs: [sealed, log],
  code: `
fn positive_digamma(x: f32) -> f32 {
  if (abs(x - ${rootHigh}) < 0.3) {
    let d = sealed(x - ${rootHigh}) - ${rootLow};
    return d * ${polynomial('d', aroundRoot)};
  }
  var y: f32 = x;
  var shift: f32 = 0.0;
  while (y < 6.0) {
    shift -= 1.0 / y;
    y += 1.0;
  }
  // log y - 1/(2y) - Σ B(2k) / (2k y^2k) (DLMF 5.11.2)
  let inverse = 1.0 / min(y, ${2 ** 40});
  let square = inverse * inverse;
  let series = fma(square, ${polynomial('square', [-1 / 252, 1 / 120, -1 / 12])}, -0.5 * inverse);
  return shift + (log_of(y) + series);
}`,
}

/** ψ(x); NaN at 0, -1, -2, … At most 20 ulp for x > 0; for x < 0, where it has zeros, 20 ulp of the result or of 2, whichever is larger. */
export const digamma: WgslFunction = {
  name: 'digamma_of',
  needs: [floatOf, sizeBits, splitBinary, scaled, positiveDigamma, nearTangent],
  code: `
fn digamma_of(x: f32) -> f32 {
  let bits = size_bits(x);
  if (bits == 0u || bits > ${infinityBits}) { return float_of(${nanBits}); }
  // Next to 0 it is -1/x, also where devices take x for 0.
  if (bits < 0x2b800000u) {
    let parts = split_binary(bits, 0x3f800000u);
    let size = scaled(1.0 / parts.significand, -parts.exponent);
    return select(size, -size, bitcast<u32>(x) == bits);
  }
  if (x > 0.0) {
    if (bits == ${infinityBits}) { return x; }
    return positive_digamma(x);
  }
  if (x > -0.5) { return positive_digamma(1.0 + x) - 1.0 / x; }
  // From -2^23 on every number is whole.
  let whole = round(x);
  if (bits >= 0x4b000000u || whole == x) { return float_of(${nanBits}); }
  // ψ(x) = ψ(-x) - 1/x - π cot πx, with the cotangent of the distance to the nearest whole number.
  let rest = x - whole;
  let size = abs(rest);
  let far = size > 0.25;
  let tangent = near_tangent(select(size, 0.5 - size, far) * ${Math.PI});
  let cotangent = ${Math.PI} * select(1.0 / tangent, tangent, far);
  return (positive_digamma(-x) - 1.0 / x) - select(cotangent, -cotangent, rest < 0.0);
}`,
}
