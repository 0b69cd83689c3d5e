// Angles brought to within π/4 of 0 by Payne and Hanek's method: x·2/π in integers, to 62 bits behind the point, for every x.
// Integers, because a compiler that rearranges differences of floats would undo the usual subtraction of π/2 in parts.
import type { WgslFunction } from '../shader.ts'
import { powerOfTwo } from './bits.ts'

/** 2/π in 230 bits behind the point, after 26 zeros before it. */
const twoOverPi = [0x28, 0xbe60db93, 0x91054a7f, 0x09d5f47d, 0x4d377036, 0xd8a5664f, 0x10e4107f, 0x9458eaf7]

const wordsFrom = (first: number): string =>
  `vec4u(${twoOverPi
    .slice(first, first + 4)
    .map((word) => `0x${word.toString(16)}u`)
    .join(', ')})`

/** Four words of 2/π. Those that a number meets follow from its exponent; up to 2^32 they are the first. */
const wordsOfTwoOverPi: WgslFunction = {
  name: 'words_of_two_over_pi',
  code: `
fn words_of_two_over_pi(first: u32) -> vec4u {
  switch (first) {
    case 0u: { return ${wordsFrom(0)}; }
    case 1u: { return ${wordsFrom(1)}; }
    case 2u: { return ${wordsFrom(2)}; }
    case 3u: { return ${wordsFrom(3)}; }
    default: { return ${wordsFrom(4)}; }
  }
}`,
}

/** The 32 bits that begin `offset` < 32 bits into a word and end in the next one. */
const bitsAcross: WgslFunction = {
  name: 'bits_across',
  code: `
fn bits_across(word: u32, next: u32, offset: u32) -> u32 {
  return (word << offset) | ((next >> 1u) >> (31u - offset));
}`,
}

/** The upper word of the product of two words. */
const multiplyHigh: WgslFunction = {
  name: 'multiply_high',
  code: `
fn multiply_high(a: u32, b: u32) -> u32 {
  let low = a & 0xffffu;
  let high = a >> 16u;
  let first = high * (b & 0xffffu) + ((low * (b & 0xffffu)) >> 16u);
  let second = low * (b >> 16u) + (first & 0xffffu);
  return high * (b >> 16u) + (first >> 16u) + (second >> 16u);
}`,
}

/** x = quadrant · π/2 + rest with |rest| ≤ π/4, to 1.5 ulp of the rest, for every finite x. Of the quadrant, the lowest two bits count. */
export const reduceAngle: WgslFunction = {
  name: 'reduce_angle',
  needs: [powerOfTwo, wordsOfTwoOverPi, bitsAcross, multiplyHigh],
  code: `
struct Angle { quadrant: u32, rest: f32 }
fn reduce_angle(x: f32) -> Angle {
  if (abs(x) < ${Math.fround(Math.PI / 4)}) { return Angle(0u, x); }
  let bits = bitcast<u32>(x);
  let significand = (bits & 0x7fffffu) | 0x800000u;
  // The 96 bits of 2/π whose products with the significand are less than 4 quarter turns and matter.
  let first = ((bits >> 23u) & 0xffu) - 126u;
  let words = words_of_two_over_pi(first >> 5u);
  let offset = first & 31u;
  let low = bits_across(words.z, words.w, offset);
  let middle = bits_across(words.y, words.z, offset);
  let high = bits_across(words.x, words.y, offset);
  // Quarter turns modulo 4: two bits before the point, 62 behind it.
  let fine = significand * middle + multiply_high(significand, low);
  let carry = select(0u, 1u, fine < significand * middle);
  let coarse = significand * high + multiply_high(significand, middle) + carry;
  // To the nearest whole one: what is left is signed, and taken as a size and a sign.
  let below = (coarse & 0x20000000u) != 0u;
  let quadrant = (coarse >> 30u) + select(0u, 1u, below);
  let left = vec2u((coarse << 2u) | (fine >> 30u), fine << 2u);
  let size = select(left, vec2u(~left.x + select(0u, 1u, left.y == 0u), ~left.y + 1u), below);
  let empty = size.x == 0u;
  let upper = select(size.x, size.y, empty);
  let zeros = countLeadingZeros(upper) & 31u;
  let leading = bits_across(upper, select(size.y, 0u, empty), zeros);
  let turns = f32(leading) * power_of_two(-32 - i32(zeros) - select(0, 32, empty));
  let rest = turns * ${Math.PI / 2};
  let negative = (bits >> 31u) == 1u;
  return Angle(select(quadrant, 0u - quadrant, negative), select(rest, -rest, below != negative));
}`,
}
