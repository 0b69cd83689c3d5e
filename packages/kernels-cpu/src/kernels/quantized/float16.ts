// float16 as eight lanes of a vector, widened to two vectors of float32 by few instructions.
import {
  f32x4,
  i16x8,
  type FunctionBuilder,
  i32x4,
  type Local,
  type Operand,
  type Value,
  v128,
} from '../../wasm/index.ts'

type Code = FunctionBuilder<'none'>

/**
 * The two halves of eight float16 as float32, exactly; `bits` must be a local. Exponent and mantissa are moved to where float32 has them, which
 * makes numbers 2^112 times too small, subnormals too, and one multiplication puts that right. What is infinite or no number gets the
 * largest exponent first.
 */
export function widen(f: Code, bits: Local<'v128'>): readonly [low: Value<'v128'>, high: Value<'v128'>] {
  const words = (value: number) => f.constant(i16x8.const(value))
  const largest = v128.and(i16x8.eq(v128.and(bits, words(0x7c00)), words(0x7c00)), words(0x7000))
  const upper = f.let(v128.or(v128.and(i16x8.shr_s(bits, 3), words(0x8fff)), largest))
  const lower = f.let(i16x8.shl(bits, 13))
  const scale = f.constant(f32x4.const(2 ** 112))
  return [
    f32x4.mul(v128.shuffle(lower, upper, [0, 8, 1, 9, 2, 10, 3, 11]), scale),
    f32x4.mul(v128.shuffle(lower, upper, [4, 12, 5, 13, 6, 14, 7, 15]), scale),
  ]
}

/** Exactly `count` float16, 1 to 8; the others are 0. */
export function loadHalves(address: Operand<'i32'>, count: number, offset: number): Value<'v128'> {
  if (count === 8) return v128.load(address, offset)
  let vector: Value<'v128'> = i32x4.const(0)
  for (let lane = 0; lane < count; lane++) vector = v128.load16_lane(address, vector, lane, offset + 2 * lane)
  return vector
}
