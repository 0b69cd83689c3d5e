// Conversions of four numbers at once, where there are instructions for them; the others are done lane by lane.
import type { DType } from '@shoal/core'
import { f32x4, f64x2, i32x4, i64x2, v128 } from '../wasm/index.ts'
import { half } from './half.ts'
import { type Code, isFloat, isUnsigned, typeOf } from './representation.ts'
import { narrowRanges } from './scalarCast.ts'
import { demote, narrowMask, promote, type Vector4, wrapVector } from './vector.ts'

/** Converts four numbers; undefined where it has no vector form. Operands must be locals. */
export function castVector(f: Code, x: Vector4, from: DType, to: DType): Vector4 | undefined {
  if (from === to) return x
  if (from === 'bool') return castVector(f, [f.let(v128.and(x[0]!, f.constant(i32x4.const(1))))], 'int32', to)
  const source = typeOf(from)
  if (to === 'bool') return nonZero(f, x, source)
  if (to === 'float16' || to === 'bfloat16')
    return source === 'f32' ? [half[to].widen(f, half[to].narrow(f, x[0]!))] : undefined
  if (source === 'i64')
    return typeOf(to) === 'i32'
      ? wrapVector([f.let(v128.shuffle(x[0]!, x[1]!, [0, 2, 4, 6]))], to)
      : undefined
  if (isFloat(from))
    return isFloat(to) ? (to === 'float64' ? promote(x[0]!) : demote(x)) : truncate(f, x, source, to)
  if (to === 'float32')
    return [isUnsigned(from) ? f32x4.convert_i32x4_u(x[0]!) : f32x4.convert_i32x4_s(x[0]!)]
  const upper = v128.shuffle(x[0]!, x[0]!, [2, 3, 0, 1])
  if (to === 'float64') {
    const convert = isUnsigned(from) ? f64x2.convert_low_i32x4_u : f64x2.convert_low_i32x4_s
    return [convert(x[0]!), convert(upper)]
  }
  if (to === 'int64')
    return isUnsigned(from)
      ? [i64x2.extend_low_i32x4_u(x[0]!), i64x2.extend_high_i32x4_u(x[0]!)]
      : [i64x2.extend_low_i32x4_s(x[0]!), i64x2.extend_high_i32x4_s(x[0]!)]
  return wrapVector(x, to)
}

function nonZero(f: Code, x: Vector4, source: ReturnType<typeof typeOf>): Vector4 {
  const zero = f.constant(i32x4.const(0))
  switch (source) {
    case 'f32':
      return [f32x4.ne(x[0]!, zero)]
    case 'i32':
      return [i32x4.ne(x[0]!, zero)]
    case 'f64':
      return narrowMask(x.map((part) => f64x2.ne(part, zero)))
    case 'i64':
      return narrowMask(x.map((part) => i64x2.ne(part, zero)))
  }
}

/** Floats to integers of up to 32 bits. */
function truncate(
  f: Code,
  x: Vector4,
  source: 'f32' | 'f64' | 'i32' | 'i64',
  to: DType,
): Vector4 | undefined {
  if (to === 'int64') return undefined
  const unsigned = to === 'uint32'
  const doubles = unsigned ? i32x4.trunc_sat_f64x2_u_zero : i32x4.trunc_sat_f64x2_s_zero
  const singles = unsigned ? i32x4.trunc_sat_f32x4_u : i32x4.trunc_sat_f32x4_s
  const whole = source === 'f64' ? v128.shuffle(doubles(x[0]!), doubles(x[1]!), [0, 1, 4, 5]) : singles(x[0]!)
  const range = narrowRanges[to]
  return [
    range
      ? i32x4.max_s(i32x4.min_s(whole, f.constant(i32x4.const(range[1]))), f.constant(i32x4.const(range[0])))
      : whole,
  ]
}
