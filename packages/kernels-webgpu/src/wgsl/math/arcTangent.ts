// Inverse tangents: the quotient is brought within tan(π/8) of 0 by turning the point, an odd polynomial does the rest.
import { isNaN } from '../half.ts'
import type { WgslFunction } from '../shader.ts'
import {
  floatOf,
  infinityBits,
  nanBits,
  powerOfTwo,
  scaled,
  sizeBits,
  splitBinary,
  withSign,
} from './bits.ts'
import { polynomial } from './polynomial.ts'

/** (atan q - q) / q³ in q² for |q| ≤ tan(π/8); coefficients of Cephes' atanf. */
const tangentRest = [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1]

/** The angle of the point (b, a) in the first quadrant, for a from 0 to 2^64 and b from ½ to 2. */
const acuteAngle: WgslFunction = {
  name: 'acute_angle',
  code: `
fn acute_angle(a: f32, b: f32) -> f32 {
  var base: f32 = 0.0;
  var numerator: f32 = a;
  var denominator: f32 = b;
  if (a > b * ${Math.tan((3 * Math.PI) / 8)}) {
    base = ${Math.PI / 2};
    numerator = -b;
    denominator = a;
  } else if (a > b * ${Math.tan(Math.PI / 8)}) {
    base = ${Math.PI / 4};
    numerator = a - b;
    denominator = a + b;
  }
  let q = numerator / denominator;
  let square = q * q;
  return base + fma(q * square, ${polynomial('square', tangentRest)}, q);
}`,
}

/** Inverse tangent. At most 5 ulp, 3 where division is exact to half an ulp. */
export const atan: WgslFunction = {
  name: 'arc_tangent',
  needs: [isNaN, withSign, acuteAngle],
  code: `
fn arc_tangent(x: f32) -> f32 {
  // So small an x is its own tangent.
  if (is_nan(x) || abs(x) < ${2 ** -12}) { return x; }
  return with_sign(acute_angle(min(abs(x), ${2 ** 40}), 1.0), x);
}`,
}

/** The angle of the point (x, y), from -π to π, with zeros and infinities as in JavaScript. At most 6 ulp, 3 where division is exact to half an ulp. */
export const atan2: WgslFunction = {
  name: 'arc_tangent2',
  needs: [isNaN, floatOf, sizeBits, splitBinary, powerOfTwo, scaled, acuteAngle, withSign],
  code: `
fn arc_tangent2(y: f32, x: f32) -> f32 {
  if (is_nan(x) || is_nan(y)) { return float_of(${nanBits}); }
  let height = size_bits(y);
  let width = size_bits(x);
  var acute: f32 = 0.0;
  if (height != 0u) {
    // Quotients of significands, which no device gets wrong; zeros and infinities are far from everything else.
    let a = split_binary(height, 0x3f800000u);
    let b = split_binary(width, 0x3f800000u);
    var distance: i32 = a.exponent - b.exponent;
    if (height == ${infinityBits}) { distance += 1000; }
    if (width == ${infinityBits}) { distance -= 1000; }
    if (width == 0u) { distance = 1000; }
    let near = clamp(distance, -60, 60);
    acute = acute_angle(a.significand * power_of_two(near), max(b.significand, 1.0));
    if (distance < -60) { acute = scaled(acute, max(distance - near, -120)); }
  }
  // The sign bit counts, also of a zero.
  let behind = (bitcast<u32>(x) >> 31u) == 1u;
  return with_sign(select(acute, ${Math.PI} - acute, behind), y);
}`,
}
