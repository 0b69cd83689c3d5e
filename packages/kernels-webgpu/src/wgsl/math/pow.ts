// Powers: 2^(y·log2 |x|) with the logarithm and the product as sums of two float32, then signs and special cases.
import { isNaN } from '../half.ts'
import type { WgslFunction } from '../shader.ts'
import { floatOf, infinityBits, nanBits, scaled, sealed, sizeBits, splitBinary, upperHalf } from './bits.ts'
import { expFraction } from './exp.ts'
import { polynomial } from './polynomial.ts'

/** 2 / ln 2 in two parts, the first of 11 bits, and log2 1.5, the first of 10. */
const [scaleHigh, scaleLow] = [2.884765625, 2 / Math.LN2 - 2.884765625]
const [threeHalvesHigh, threeHalvesLow] = [0.5849609375, Math.log2(1.5) - 0.5849609375]

/**
 * log2 of a positive finite number, given by its bits, as the sum of an upper half and a rest; relative error 2^-30.
 * x = 2^k · c · (1 + s) / (1 - s) with c 1 or 1.5 and |s| ≤ 0.1011, so that log2 x = k + log2 c + 2/ln 2 · (s + s³/3 + s⁵/5 + …).
 */
const logarithm: WgslFunction = {
  name: 'two_part_log2',
  needs: [sealed, splitBinary, upperHalf],
  code: `
struct TwoPart { upper: f32, rest: f32 }
fn two_part_log2(size: u32) -> TwoPart {
  // From √¾ to √3: around 1 up to √1.5, beyond it around 1.5.
  let parts = split_binary(size, 0x3f5db3d7u);
  let m = parts.significand;
  let wide = m > ${Math.sqrt(1.5)};
  let c = select(1.0, 1.5, wide);
  // s = (m - c) / (m + c): its upper half, and what the division left over.
  let difference = m - c;
  let sum = upper_half(m + c);
  let sumRest = m - sealed(sum - c);
  let s = upper_half(difference / (m + c));
  let sRest = (sealed(difference - s * sum) - s * sumRest) / (m + c);
  let square = s * s;
  let tail = fma(s * square, ${polynomial('square', [1 / 9, 1 / 7, 1 / 5, 1 / 3])}, fma(fma(square, square, square), sRest, sRest));
  let high = sealed(s * ${scaleHigh});
  let low = fma(s, ${scaleLow}, tail * ${2 / Math.LN2}) + select(0.0, ${threeHalvesLow}, wide);
  let whole = f32(parts.exponent) + select(0.0, ${threeHalvesHigh}, wide);
  let upper = upper_half(whole + high);
  return TwoPart(upper, sealed(sealed(whole - upper) + high) + low);
}`,
}

/** x^y for a positive finite x, given by its bits, and a finite y. */
const positivePower: WgslFunction = {
  name: 'positive_power',
  needs: [floatOf, sealed, scaled, expFraction, logarithm],
  code: `
fn positive_power(size: u32, exponent: f32) -> f32 {
  let logarithm = two_part_log2(size);
  // Beyond these bounds the result is infinite, 0, or that of 1.
  let y = clamp(exponent, ${-(2 ** 40)}, ${2 ** 40});
  // The upper parts have 12 and 11 bits: their product ends before the bit that is sealed.
  let yUpper = bitcast<f32>(bitcast<u32>(y) & 0xffffe000u);
  let high = sealed(yUpper * logarithm.upper);
  let low = fma(y - yUpper, logarithm.upper, y * logarithm.rest);
  let n = round(high + low);
  if (n > 128.0) { return float_of(${infinityBits}); }
  if (n < -150.0) { return 0.0; }
  return scaled(1.0 + exp_fraction((sealed(high - n) + low) * ${Math.LN2}), i32(n));
}`,
}

/** x^y as IEEE-754's pow: 1 for y = 0, for x = 1, and for x = -1 with an infinite y; powers of negative numbers that are not whole are NaN. At most 3.5 ulp. */
export const pow: WgslFunction = {
  name: 'power_of',
  needs: [isNaN, floatOf, sizeBits, positivePower],
  code: `
fn power_of(x: f32, y: f32) -> f32 {
  let size = size_bits(x);
  let exponent = size_bits(y);
  if (exponent == 0u || bitcast<u32>(x) == 0x3f800000u) { return 1.0; }
  if (is_nan(x) || is_nan(y)) { return float_of(${nanBits}); }
  let rises = bitcast<u32>(y) == exponent;
  if (exponent == ${infinityBits}) {
    if (size == 0x3f800000u) { return 1.0; }
    return float_of(select(0u, ${infinityBits}, (size > 0x3f800000u) == rises));
  }
  // From 2^24 on every number is even.
  let whole = exponent >= 0x3f800000u && trunc(y) == y;
  let odd = whole && abs(y) < ${2 ** 24}.0 && (i32(y) & 1) == 1;
  let sign = select(0u, bitcast<u32>(x) & 0x80000000u, odd);
  if (size == 0u || size == ${infinityBits}) {
    return float_of(sign | select(0u, ${infinityBits}, (size != 0u) == rises));
  }
  if (size != bitcast<u32>(x) && !whole) { return float_of(${nanBits}); }
  return bitcast<f32>(bitcast<u32>(positive_power(size, y)) | sign);
}`,
}
