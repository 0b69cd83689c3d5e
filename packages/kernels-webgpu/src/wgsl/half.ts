// float32 to float16 and bfloat16, to nearest with ties to even: WGSL leaves the rounding of its own conversions open.
import type { WgslFunction } from './shader.ts'

/** Is a float32 NaN? By its bits, since compilers may take it that no number is. */
export const isNaN: WgslFunction = {
  name: 'is_nan',
  code: `
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`,
}

/** The float16 (IEEE-754 binary16) nearest to a float32, as 16 bits. */
export const float16Bits: WgslFunction = {
  name: 'float16_bits',
  needs: [isNaN],
  code: `
fn float16_bits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return sign | 0x7e00u; }
  if (magnitude >= 0x477ff000u) { return sign | 0x7c00u; }
  if (magnitude < 0x38800000u) {
    // Below 2^-14 the spacing is 2^-24: the whole significand, shifted and rounded.
    if (magnitude < 0x33000000u) { return sign; }
    let significand = (magnitude & 0x7fffffu) | 0x800000u;
    let shift = 126u - (magnitude >> 23u);
    let kept = significand >> shift;
    let rest = significand & ((1u << shift) - 1u);
    let half = 1u << (shift - 1u);
    return sign | (kept + select(0u, 1u, rest > half || (rest == half && (kept & 1u) == 1u)));
  }
  let rebiased = magnitude - 0x38000000u;
  return sign | ((rebiased + 0xfffu + ((rebiased >> 13u) & 1u)) >> 13u);
}`,
}

/** The bfloat16 nearest to a float32, as 16 bits. */
export const bfloat16Bits: WgslFunction = {
  name: 'bfloat16_bits',
  needs: [isNaN],
  code: `
fn bfloat16_bits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  if (is_nan(x)) { return (bits >> 16u) | 0x40u; }
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}`,
}

/** A float32 rounded to the nearest float16. */
export const toFloat16: WgslFunction = {
  name: 'to_float16',
  needs: [float16Bits],
  code: `
fn to_float16(x: f32) -> f32 {
  return unpack2x16float(float16_bits(x)).x;
}`,
}

/** A float32 rounded to the nearest bfloat16. */
export const toBfloat16: WgslFunction = {
  name: 'to_bfloat16',
  needs: [bfloat16Bits],
  code: `
fn to_bfloat16(x: f32) -> f32 {
  return bitcast<f32>(bfloat16_bits(x) << 16u);
}`,
}
