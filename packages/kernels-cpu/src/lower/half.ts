// float16 and bfloat16 as the low bits of four lanes: widening is exact, narrowing rounds to nearest, ties to even.
import { f32x4, type FunctionBuilder, i32x4, type Value, v128 } from '../wasm/index.ts'

type Vector = Value<'v128'>
type Code = FunctionBuilder<'none'>

/** Conversions between four lanes of float32 and of 16 bits, which stand in the low half of 32-bit lanes. */
export interface HalfFormat {
  readonly widen: (f: Code, bits: Vector) => Vector
  readonly narrow: (f: Code, x: Vector) => Vector
}

const infinityBits = 255 << 23
const signBit = 1 << 31

/** IEEE-754 binary16. Subnormals are made by a float addition whose rounding does the work. */
const float16: HalfFormat = {
  widen(f, given) {
    const int = (value: number) => f.constant(i32x4.const(value))
    const bits = f.let(given)
    const magnitude = f.let(i32x4.shl(v128.and(bits, int(0x7fff)), 13))
    const exponent = f.let(v128.and(magnitude, int(0x7c00 << 13)))
    const moved = f.let(i32x4.add(magnitude, int((127 - 15) << 23)))
    const special = i32x4.add(moved, int((128 - 16) << 23))
    const subnormal = f32x4.sub(i32x4.add(moved, int(1 << 23)), int(113 << 23))
    const finite = v128.bitselect(subnormal, moved, i32x4.eq(exponent, int(0)))
    const widened = v128.bitselect(special, finite, i32x4.eq(exponent, int(0x7c00 << 13)))
    return f.let(v128.or(widened, i32x4.shl(v128.and(bits, int(0x8000)), 16)))
  },
  narrow(f, given) {
    const int = (value: number) => f.constant(i32x4.const(value))
    const x = f.let(given)
    const magnitude = f.let(v128.andnot(x, int(signBit)))
    const odd = v128.and(i32x4.shr_u(magnitude, 13), int(1))
    const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, int(((15 - 127) << 23) + 0xfff)), odd), 13)
    const magic = int((127 - 15 + (23 - 10) + 1) << 23)
    const subnormal = i32x4.sub(f32x4.add(magnitude, magic), magic)
    const special = v128.bitselect(int(0x7e00), int(0x7c00), i32x4.gt_s(magnitude, int(infinityBits)))
    const finite = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, int(113 << 23)))
    const narrowed = v128.bitselect(special, finite, i32x4.ge_s(magnitude, int((127 + 16) << 23)))
    return f.let(v128.or(narrowed, i32x4.shr_u(v128.and(x, int(signBit)), 16)))
  },
}

/** The upper half of binary32. */
const bfloat16: HalfFormat = {
  widen: (f, bits) => f.let(i32x4.shl(bits, 16)),
  narrow(f, given) {
    const int = (value: number) => f.constant(i32x4.const(value))
    const x = f.let(given)
    const high = f.let(i32x4.shr_u(x, 16))
    const rounded = i32x4.shr_u(i32x4.add(i32x4.add(x, int(0x7fff)), v128.and(high, int(1))), 16)
    return f.let(v128.bitselect(rounded, v128.or(high, int(0x40)), f32x4.eq(x, x)))
  },
}

/** Both formats, by dtype. */
export const half: Readonly<Record<'float16' | 'bfloat16', HalfFormat>> = { float16, bfloat16 }
