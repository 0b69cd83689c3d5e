// Float32 numbers as bits: special values that compilers do not see, and arithmetic that they cannot rearrange.
import type { WgslFunction } from '../shader.ts'

/** A float32 by its bits: NaN and infinities too, which WGSL refuses where they are known at compile time. */
export const floatOf: WgslFunction = {
  name: 'float_of',
  code: `
fn float_of(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}`,
}

/** The bits of what `floatOf` is mostly asked for. */
export const nanBits = '0x7fc00000u'
/** The bits of infinity: those of every finite number are less, without the sign. */
export const infinityBits = '0x7f800000u'

/** The bits of |x|. */
export const sizeBits: WgslFunction = {
  name: 'size_bits',
  code: `
fn size_bits(x: f32) -> u32 {
  return bitcast<u32>(x) & 0x7fffffffu;
}`,
}

/** A number that is not negative, with the sign of x, also that of a zero. */
export const withSign: WgslFunction = {
  name: 'with_sign',
  code: `
fn with_sign(size: f32, x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(size) | (bitcast<u32>(x) & 0x80000000u));
}`,
}

/**
 * x without its last bit. What comes out is a fresh number to every compiler: those that may rearrange sums and factor products
 * (HLSL's and Metal's do) cannot reach through it, and differences with it stay what they are meant to be.
 */
export const sealed: WgslFunction = {
  name: 'sealed',
  code: `
fn sealed(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0xfffffffeu);
}`,
}

/** The upper 12 of the 24 bits of x: products of two such numbers are exact, and x less its upper half is as well. */
export const upperHalf: WgslFunction = {
  name: 'upper_half',
  code: `
fn upper_half(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}`,
}

/** 2^n for n in [-126, 127]. */
export const powerOfTwo: WgslFunction = {
  name: 'power_of_two',
  code: `
fn power_of_two(n: i32) -> f32 {
  return bitcast<f32>(u32(n + 127) << 23u);
}`,
}

/**
 * x · 2^n, rounded once: right into the subnormal numbers, and infinite where it overflows. x · 2^(n/2) must be a normal number.
 * The first half goes into the exponent as an integer: as a product, compilers might take both powers of two together, which overflow.
 */
export const scaled: WgslFunction = {
  name: 'scaled',
  needs: [powerOfTwo],
  code: `
fn scaled(x: f32, n: i32) -> f32 {
  let half = n >> 1u;
  return bitcast<f32>(bitcast<u32>(x) + (u32(half) << 23u)) * power_of_two(n - half);
}`,
}

/**
 * The bits of a positive number as significand · 2^exponent with the significand in [p, 2p), where p in [½, 1] is told by its bits.
 * Subnormal numbers too; 0 comes out as 0, infinity as p ≤ 1 with a large exponent.
 */
export const splitBinary: WgslFunction = {
  name: 'split_binary',
  code: `
struct Binary { significand: f32, exponent: i32 }
fn split_binary(size: u32, p: u32) -> Binary {
  if (size == 0u) { return Binary(0.0, 0); }
  // A subnormal number, shifted until it looks like a normal one.
  let shift = select(0u, countLeadingZeros(size) - 8u, size < 0x00800000u);
  let bits = size << shift;
  let exponent = i32(bits - p) >> 23u;
  return Binary(bitcast<f32>(bits - (u32(exponent) << 23u)), exponent - i32(shift));
}`,
}

/** √x for x = 0 or from 2^-100 to 2^126, at most 1 ulp whatever the square root of the device does: its upper half is put right. */
export const root: WgslFunction = {
  name: 'root',
  needs: [upperHalf],
  code: `
fn root(x: f32) -> f32 {
  if (x == 0.0) { return x; }
  let rough = sqrt(x);
  let upper = upper_half(rough);
  return upper + (x - upper * upper) / (upper + rough);
}`,
}
