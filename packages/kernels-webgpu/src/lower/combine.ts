// How values of a reduction meet, in WGSL.
import type { Combine, DType } from '@shoal/core'
import { dtypes, neutral } from '@shoal/core'
import { literal } from '../wgsl/literal.ts'
import { greatest, least } from '../wgsl/scalar.ts'
import type { Shader } from '../wgsl/shader.ts'

/** Two values of a reduction as one. */
export function combined(shader: Shader, combine: Combine, dtype: DType, a: string, b: string): string {
  const { kind } = dtypes[dtype]
  if (kind === 'bool') return combine === 'max' || combine === 'sum' ? `${a} || ${b}` : `${a} && ${b}`
  if (combine === 'sum') return narrowed(`${a} + ${b}`, dtype)
  if (combine === 'prod') return narrowed(`${a} * ${b}`, dtype)
  if (kind !== 'float') return `${combine}(${a}, ${b})`
  return `${shader.include(combine === 'max' ? greatest : least)}(${a}, ${b})`
}

/** The value of a reduction over nothing. */
export const neutralLiteral = (shader: Shader, combine: Combine, dtype: DType): string =>
  literal(shader, neutral(combine, dtype), dtype)

const narrowed = (value: string, dtype: DType): string =>
  dtype === 'int8'
    ? `extractBits(${value}, 0u, 8u)`
    : dtype === 'int16'
      ? `extractBits(${value}, 0u, 16u)`
      : dtype === 'uint8'
        ? `(${value}) & 0xffu`
        : value
