// float16 and bfloat16 as 16 bits: the two conversions each way, rounding to nearest, ties to even.
import { oddFloat32Bits } from './roundToOdd.ts'

const f32 = new Float32Array(1)
const u32 = new Uint32Array(f32.buffer)

/** The bfloat16 bits nearest to x (IEEE-754 binary32 with the low 16 bits rounded away, but rounded once). NaN stays NaN. */
export function toBfloat16Bits(x: number): number {
  if (x !== x) {
    f32[0] = x
    return (u32[0]! >>> 16) | 0x40
  }
  const bits = oddFloat32Bits(x)
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

/** The number that bfloat16 bits stand for. */
export function fromBfloat16Bits(bits: number): number {
  u32[0] = bits << 16
  return f32[0]!
}

/** The float16 bits nearest to x (IEEE-754 binary16), straight from float64 so that no value is rounded twice. */
export function toFloat16Bits(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const a = Math.abs(x)
  if (x !== x) return 0x7e00
  if (a >= 65520) return sign | 0x7c00
  // Below 2^-14 the spacing is 2^-24: subnormals, which overflow into the first normal by themselves.
  if (a < 2 ** -14) return sign | roundHalfEven(a * 2 ** 24)
  const exponent = exponentOf(a)
  return sign | (((exponent + 15) << 10) + roundHalfEven((a / 2 ** exponent - 1) * 1024))
}

/** The number that float16 bits stand for. */
export function fromFloat16Bits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}

/** Rounds to the nearest integer, ties to the even one, as IEEE-754 and TensorFlow do. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  if (rest < 0.5) return floor === 0 && x < 0 ? -0 : floor
  if (rest > 0.5) return floor + 1 === 0 ? -0 : floor + 1
  return floor % 2 === 0 ? floor : floor + 1 === 0 ? -0 : floor + 1
}

function exponentOf(a: number): number {
  f32[0] = a
  const exponent = ((u32[0]! >>> 23) & 255) - 127
  return 2 ** exponent > a ? exponent - 1 : exponent
}
