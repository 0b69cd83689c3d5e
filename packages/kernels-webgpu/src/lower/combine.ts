// How values of a reduction meet, in WGSL.
import type { Combine, DType } from '@shoal/core'
import { dtypes, neutral } from '@shoal/core'
import { isNaN } from '../wgsl/half.ts'
import { floatLiteral, literal } from '../wgsl/literal.ts'
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

/** What a value is in all lanes of the subgroup, as one. Only where all lanes come, with the extension `subgroups`. */
export function subgroupCombined(shader: Shader, combine: Combine, dtype: DType, value: string): string {
  const { kind } = dtypes[dtype]
  if (kind === 'bool')
    return `${combine === 'max' || combine === 'sum' ? 'subgroupAny' : 'subgroupAll'}(${value})`
  if (combine === 'sum') return narrowed(`subgroupAdd(${value})`, dtype)
  if (combine === 'prod') return narrowed(`subgroupMul(${value})`, dtype)
  const extreme = `${combine === 'max' ? 'subgroupMax' : 'subgroupMin'}(${value})`
  if (kind !== 'float') return extreme
  // Which extreme numbers have among which is NaN, devices do not agree upon.
  const nan = `subgroupAny(${shader.include(isNaN)}(${value}))`
  return `select(${extreme}, ${floatLiteral(shader, Number.NaN)}, ${nan})`
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
