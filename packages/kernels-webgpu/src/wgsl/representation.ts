// Which WGSL type each dtype is computed in, and how its bits become a value of that type and back.
import type { DType } from '@shoal/core'
import { dtypes, InternalError } from '@shoal/core'
import { bfloat16Bits, float16Bits } from './half.ts'
import type { Shader } from './shader.ts'

/** The dtypes that this device has: all that fit a word of 32 bits. */
export const wgslDtypes: readonly DType[] = [
  'float32',
  'float16',
  'bfloat16',
  'int8',
  'uint8',
  'int16',
  'int32',
  'uint32',
  'bool',
]

/** A type of WGSL that arithmetic happens in. */
export type ScalarType = 'f32' | 'i32' | 'u32' | 'bool'

const byKind: Partial<Record<(typeof dtypes)[DType]['kind'], ScalarType>> = {
  float: 'f32',
  int: 'i32',
  uint: 'u32',
  bool: 'bool',
}

/** The type that elements of a dtype are computed in. */
export function scalarType(dtype: DType): ScalarType {
  const type = byKind[dtypes[dtype].kind]
  if (!type || dtypes[dtype].bytes > 4) throw new InternalError(`WGSL has no type for ${dtype}`)
  return type
}

/** The value of an element narrower than a word: its bits are in `word`, from bit `shift` on. */
export function fromBits(shader: Shader, dtype: DType, word: string, shift: string): string {
  switch (dtype) {
    case 'bool':
      return `((${word} >> (${shift})) & 0xffu) != 0u`
    case 'uint8':
      return `(${word} >> (${shift})) & 0xffu`
    case 'int8':
      return `extractBits(bitcast<i32>(${word}), ${shift}, 8u)`
    case 'int16':
      return `extractBits(bitcast<i32>(${word}), ${shift}, 16u)`
    case 'float16':
      return `unpack2x16float(${word} >> (${shift})).x`
    case 'bfloat16':
      return `bitcast<f32>((${word} >> (${shift})) << 16u)`
    default:
      throw new InternalError(`elements of ${dtype} do not share words`)
  }
}

/** The bits of an element narrower than a word, as u32 with zeros above. */
export function toBits(shader: Shader, dtype: DType, value: string): string {
  switch (dtype) {
    case 'bool':
      return `select(0u, 1u, ${value})`
    case 'uint8':
      return `((${value}) & 0xffu)`
    case 'int8':
      return `(bitcast<u32>(${value}) & 0xffu)`
    case 'int16':
      return `(bitcast<u32>(${value}) & 0xffffu)`
    case 'float16':
      return `${shader.include(float16Bits)}(${value})`
    case 'bfloat16':
      return `${shader.include(bfloat16Bits)}(${value})`
    default:
      throw new InternalError(`elements of ${dtype} do not share words`)
  }
}
