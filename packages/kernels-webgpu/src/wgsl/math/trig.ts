// Sine, cosine and tangent: x = k·π/2 + r with |r| ≤ π/4, then a polynomial that the quadrant k chooses.
import type { WgslFunction } from '../shader.ts'
import { reduceAngle } from './angle.ts'
import { floatOf, infinityBits, nanBits, sizeBits } from './bits.ts'
import { polynomial } from './polynomial.ts'

/** (sin r - r) / r³, (cos r - 1 + r²/2) / r⁴ and (tan r - r) / r³ in r²; coefficients of Cephes' sinf and tanf. */
const sineRest = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]
const cosineRest = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]
const tangentRest = [
  9.38540185543e-3, 3.11992232697e-3, 2.44301354525e-2, 5.34112807005e-2, 1.33387994085e-1, 3.33331568548e-1,
]

/** The sine of r + quadrant·π/2, for |r| ≤ π/4. */
export const quadrantSine: WgslFunction = {
  name: 'quadrant_sine',
  code: `
fn quadrant_sine(r: f32, quadrant: u32) -> f32 {
  let square = r * r;
  let sine = fma(r * square, ${polynomial('square', sineRest)}, r);
  let cosine = fma(square * square, ${polynomial('square', cosineRest)}, fma(square, -0.5, 1.0));
  let size = select(sine, cosine, (quadrant & 1u) == 1u);
  return select(size, -size, (quadrant & 2u) == 2u);
}`,
}

/** The tangent of r for |r| ≤ π/4. */
export const nearTangent: WgslFunction = {
  name: 'near_tangent',
  code: `
fn near_tangent(r: f32) -> f32 {
  let square = r * r;
  return fma(r * square, ${polynomial('square', tangentRest)}, r);
}`,
}

/** Sine. At most 3 ulp for every argument. */
export const sin: WgslFunction = {
  name: 'sine',
  needs: [floatOf, sizeBits, reduceAngle, quadrantSine],
  code: `
fn sine(x: f32) -> f32 {
  if (size_bits(x) >= ${infinityBits}) { return float_of(${nanBits}); }
  // The sum of the polynomial turns -0 into 0; so small an x is its own sine.
  if (abs(x) < ${2 ** -12}) { return x; }
  let angle = reduce_angle(x);
  return quadrant_sine(angle.rest, angle.quadrant);
}`,
}

/** Cosine. At most 3 ulp for every argument. */
export const cos: WgslFunction = {
  name: 'cosine',
  needs: [floatOf, sizeBits, reduceAngle, quadrantSine],
  code: `
fn cosine(x: f32) -> f32 {
  if (size_bits(x) >= ${infinityBits}) { return float_of(${nanBits}); }
  let angle = reduce_angle(x);
  return quadrant_sine(angle.rest, angle.quadrant + 1u);
}`,
}

/** Tangent. At most 5.5 ulp for every argument, 3.6 where division is exact to half an ulp. */
export const tan: WgslFunction = {
  name: 'tangent',
  needs: [floatOf, sizeBits, reduceAngle, nearTangent],
  code: `
fn tangent(x: f32) -> f32 {
  if (size_bits(x) >= ${infinityBits}) { return float_of(${nanBits}); }
  if (abs(x) < ${2 ** -13}) { return x; }
  let angle = reduce_angle(x);
  let near = near_tangent(angle.rest);
  if ((angle.quadrant & 1u) == 0u) { return near; }
  return -1.0 / near;
}`,
}
