// Conversions of one number between dtypes: floats to integers truncate and saturate, integers wrap, to bool is `!= 0`.
import type { DType } from '@shoal/core'
import { dtypes } from '@shoal/core'
import { f32, f32x4, f64, i32, i64, type ModuleBuilder, select, type Value } from '../wasm/index.ts'
import { half } from './half.ts'
import { roundImported } from './imported.ts'
import {
  type Code,
  constant,
  instruction,
  isFloat,
  isUnsigned,
  type Scalar,
  typeOf,
  wrap,
} from './representation.ts'

/** The least and greatest value of integers that are narrower than their i32. */
export const narrowRanges: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
}

/** x as a float64, whatever it was. Uses x once. */
export function toFloat64(x: Scalar, from: DType): Value<'f64'> {
  switch (typeOf(from)) {
    case 'f64':
      return x as Value<'f64'>
    case 'f32':
      return f64.promote_f32(x as Value<'f32'>)
    case 'i64':
      return f64.convert_i64_s(x as Value<'i64'>)
    case 'i32':
      return from === 'uint32' ? f64.convert_i32_u(x as Value<'i32'>) : f64.convert_i32_s(x as Value<'i32'>)
  }
}

/** A float64 that is a value of `to` already. */
export function fromFloat64(x: Value<'f64'>, to: DType): Scalar {
  switch (typeOf(to)) {
    case 'f64':
      return x
    case 'f32':
      return f32.demote_f64(x)
    case 'i64':
      return i64.trunc_sat_f64_s(x)
    case 'i32':
      return to === 'uint32' ? i32.trunc_sat_f64_u(x) : i32.trunc_sat_f64_s(x)
  }
}

/** Converts `x`, a local or constant. `from` is a dtype that arithmetic happens in; `to` may be half precision, which rounds and widens again. */
export function castScalar(module: ModuleBuilder, f: Code, x: Scalar, from: DType, to: DType): Scalar {
  if (to === 'bool') return instruction(typeOf(from), 'ne')(x, constant(0, from)) as Value<'i32'>
  if (to === 'float16' || to === 'bfloat16') {
    // From float32 in place; from wider numbers by one rounding, which takes a function of the host.
    if (typeOf(from) !== 'f32') return f32.demote_f64(roundImported(module, to, toFloat64(x, from)))
    return f32x4.extract_lane(half[to].widen(f, half[to].narrow(f, f32x4.splat(x as Value<'f32'>))), 0)
  }
  if (isFloat(to)) return toFloat(x, from, to)
  return isFloat(from) ? truncate(f, x, from, to) : resize(x, from, to)
}

function toFloat(x: Scalar, from: DType, to: DType): Scalar {
  if (to === 'float64') return toFloat64(x, from)
  if (from === 'float64') return f32.demote_f64(x as Value<'f64'>)
  if (isFloat(from)) return x
  if (typeOf(from) === 'i64') return f32.convert_i64_s(x as Value<'i64'>)
  return isUnsigned(from) ? f32.convert_i32_u(x as Value<'i32'>) : f32.convert_i32_s(x as Value<'i32'>)
}

function truncate(f: Code, x: Scalar, from: DType, to: DType): Scalar {
  const source = typeOf(from)
  const whole = instruction(typeOf(to), `trunc_sat_${source}_${to === 'uint32' ? 'u' : 's'}`)(x)
  const range = narrowRanges[to]
  if (!range) return whole
  const clamped = f.let(whole as Value<'i32'>)
  f.set(clamped, select(i32.lt_s(clamped, range[0]), i32.const(range[0]), clamped))
  return select(i32.gt_s(clamped, range[1]), i32.const(range[1]), clamped)
}

function resize(x: Scalar, from: DType, to: DType): Scalar {
  if (dtypes[to].bytes === 8) {
    if (typeOf(from) === 'i64') return x
    return isUnsigned(from) ? i64.extend_i32_u(x as Value<'i32'>) : i64.extend_i32_s(x as Value<'i32'>)
  }
  return wrap(typeOf(from) === 'i64' ? i32.wrap_i64(x as Value<'i64'>) : x, to)
}
