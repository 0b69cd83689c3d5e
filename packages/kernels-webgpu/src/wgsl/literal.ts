// Numbers as WGSL writes them, which has no literals for NaN and infinities.
import type { DType } from '@shoal/core'
import { dtypes } from '@shoal/core'
import type { Shader } from './shader.ts'

/** A float32. */
export function floatLiteral(shader: Shader, value: number): string {
  const x = Math.fround(value)
  if (Number.isFinite(x)) {
    const text = Object.is(x, -0) ? '-0.0' : String(x)
    const number = /[.e]/.test(text) ? `${text}f` : `${text}.0f`
    return x < 0 || Object.is(x, -0) ? `(${number})` : number
  }
  // Known at compile time, such a number is an error: it comes out of a variable.
  const [name, bits] = Number.isNaN(x)
    ? ['nan_bits', '0x7fc00000u']
    : x > 0
      ? ['infinity_bits', '0x7f800000u']
      : ['minus_infinity_bits', '0xff800000u']
  shader.declare(`var<private> ${name}: u32 = ${bits};`)
  return `bitcast<f32>(${name})`
}

/** A constant of a dtype. */
export function literal(shader: Shader, value: number | bigint, dtype: DType): string {
  const number = Number(value)
  switch (dtypes[dtype].kind) {
    case 'float':
      return floatLiteral(shader, number)
    case 'uint':
      return `${number}u`
    case 'bool':
      return number === 0 ? 'false' : 'true'
    default:
      // The least int32 has no literal of its own type.
      return number < 0 ? `i32(${number})` : `${number}i`
  }
}
