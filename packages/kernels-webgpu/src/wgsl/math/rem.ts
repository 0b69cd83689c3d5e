// The remainder of a division, exact: long division of the significands as integers, eight bits of the quotient at a time.
import type { WgslFunction } from '../shader.ts'
import { floatOf, infinityBits, nanBits, sizeBits } from './bits.ts'

/** x - y·trunc(x / y), with the sign of x; NaN for y = 0 and for infinite x. Exact. */
export const rem: WgslFunction = {
  name: 'remainder_of',
  needs: [floatOf, sizeBits],
  code: `
fn remainder_of(x: f32, y: f32) -> f32 {
  let dividend = size_bits(x);
  let divisor = size_bits(y);
  if (dividend >= ${infinityBits} || divisor > ${infinityBits} || divisor == 0u) { return float_of(${nanBits}); }
  if (dividend < divisor) { return x; }
  // As integers times powers of two; subnormal numbers have the least exponent, and no bit before the point.
  let scale = max(divisor >> 23u, 1u);
  let modulus = (divisor & 0x7fffffu) | select(0u, 0x800000u, divisor >= 0x800000u);
  var left: u32 = (dividend & 0x7fffffu) | select(0u, 0x800000u, dividend >= 0x800000u);
  left %= modulus;
  var shift: u32 = max(dividend >> 23u, 1u) - scale;
  while (shift > 0u && left > 0u) {
    let step = min(shift, 8u);
    left = (left << step) % modulus;
    shift -= step;
  }
  // The remainder, less than 2^24, goes up until its first bit stands before the point, or the exponent is the least.
  let up = min(countLeadingZeros(left | 1u) - 8u, scale - 1u);
  let significand = left << up;
  let exponent = select(0u, scale - up, significand >= 0x800000u);
  return bitcast<f32>((bitcast<u32>(x) & 0x80000000u) | (exponent << 23u) | (significand & 0x7fffffu));
}`,
}
