// Inverse sine and cosine: an odd polynomial up to ½, and beyond it the half-angle identity asin x = π/2 - 2 asin √((1 - x)/2).
import type { WgslFunction } from '../shader.ts'
import { floatOf, nanBits, root, sizeBits, withSign } from './bits.ts'
import { polynomial } from './polynomial.ts'

/** (asin s - s) / s³ in s² for s ≤ ½; coefficients of Cephes' asinf. */
const rest = [4.2163199048e-2, 2.4181311049e-2, 4.547002599e-2, 7.4953002686e-2, 1.6666752422e-1]

/** The bits of 1. */
const one = '0x3f800000u'

/** asin s for 0 ≤ s ≤ ½, given s and s². */
const nearArcSine: WgslFunction = {
  name: 'near_arc_sine',
  code: `
fn near_arc_sine(s: f32, square: f32) -> f32 {
  return fma(s * square, ${polynomial('square', rest)}, s);
}`,
}

/** asin √((1 - size)/2) for ½ < size ≤ 1: half the angle whose cosine is `size`. */
const halfArcCosine: WgslFunction = {
  name: 'half_arc_cosine',
  needs: [nearArcSine, root],
  code: `
fn half_arc_cosine(size: f32) -> f32 {
  let square = (1.0 - size) * 0.5;
  return near_arc_sine(root(square), square);
}`,
}

/** Inverse sine; NaN outside [-1, 1]. At most 2.8 ulp. */
export const asin: WgslFunction = {
  name: 'arc_sine',
  needs: [floatOf, sizeBits, withSign, nearArcSine, halfArcCosine],
  code: `
fn arc_sine(x: f32) -> f32 {
  if (size_bits(x) > ${one}) { return float_of(${nanBits}); }
  let size = abs(x);
  if (size <= 0.5) { return with_sign(near_arc_sine(size, size * size), x); }
  return with_sign(fma(half_arc_cosine(size), -2.0, ${Math.PI / 2}), x);
}`,
}

/** Inverse cosine; NaN outside [-1, 1]. At most 2 ulp. */
export const acos: WgslFunction = {
  name: 'arc_cosine',
  needs: [floatOf, sizeBits, nearArcSine, halfArcCosine],
  code: `
fn arc_cosine(x: f32) -> f32 {
  if (size_bits(x) > ${one}) { return float_of(${nanBits}); }
  let size = abs(x);
  if (size <= 0.5) { return ${Math.PI / 2} - near_arc_sine(x, x * x); }
  let half = half_arc_cosine(size);
  return select(2.0 * half, fma(half, -2.0, ${Math.PI}), x < 0.0);
}`,
}
