// How a dtype looks in WebAssembly: the type that its numbers have, and how they are loaded and stored one at a time.
import type { DType } from '@shoal/core'
import { dtypes, InternalError } from '@shoal/core'
import {
  f32,
  f32x4,
  f64,
  type FunctionBuilder,
  i32,
  i32x4,
  i64,
  type Local,
  type Operand,
  type Value,
} from '../wasm/index.ts'
import { half } from './half.ts'

/** The types of numbers. */
export type ScalarType = 'i32' | 'i64' | 'f32' | 'f64'
/** The writer of a kernel. */
export type Code = FunctionBuilder<'none'>
/** A number of any type. */
export type Scalar = Value<ScalarType>
/** An instruction whose types the caller vouches for. */
export type Instruction = (...operands: readonly unknown[]) => Scalar

/** The type that numbers of a dtype are computed in. @throws InternalError for strings. */
export function typeOf(dtype: DType): ScalarType {
  const { kind, bytes, compute } = dtypes[dtype]
  if (kind === 'string') throw new InternalError('strings have no numbers')
  if (kind === 'float') return dtypes[compute].bytes === 8 ? 'f64' : 'f32'
  return bytes === 8 ? 'i64' : 'i32'
}

/** Do comparisons and divisions take the bits as unsigned? Bools do: false is less than true, as 0 or as a mask. */
export const isUnsigned = (dtype: DType): boolean =>
  dtypes[dtype].kind === 'uint' || dtypes[dtype].kind === 'bool'
/** Is it a float? */
export const isFloat = (dtype: DType): boolean => dtypes[dtype].kind === 'float'

const tables = { i32, i64, f32, f64 } as unknown as Readonly<
  Record<ScalarType, Readonly<Record<string, Instruction>>>
>

/** An instruction by its name: `instruction('f32', 'add')`. @throws InternalError when there is none. */
export function instruction(type: ScalarType, name: string): Instruction {
  const found = tables[type][name]
  if (!found) throw new InternalError(`there is no instruction ${type}.${name}`)
  return found
}

/** A constant of a dtype. Bools are 0 and 1. */
export function constant(value: number | bigint, dtype: DType): Scalar {
  switch (typeOf(dtype)) {
    case 'i64':
      return i64.const(BigInt(value))
    case 'f32':
      return f32.const(Number(value))
    case 'f64':
      return f64.const(Number(value))
    case 'i32':
      return i32.const(dtype === 'bool' ? Number(Number(value) !== 0) : Number(value))
  }
}

/** Keeps an i32 that holds a narrow integer within its dtype: what arithmetic carried beyond is cut off. */
export function wrap(value: Scalar, dtype: DType): Scalar {
  const x = value as Value<'i32'>
  if (dtype === 'int8') return i32.extend8_s(x)
  if (dtype === 'int16') return i32.extend16_s(x)
  return dtype === 'uint8' ? i32.and(x, 255) : value
}

/** Reads one element; half precision is widened. */
export function loadScalar(f: Code, dtype: DType, address: Operand<'i32'>, offset = 0): Scalar {
  switch (dtype) {
    case 'float32':
      return f32.load(address, offset)
    case 'float64':
      return f64.load(address, offset)
    case 'float16':
    case 'bfloat16':
      return f32x4.extract_lane(half[dtype].widen(f, i32x4.splat(i32.load16_u(address, offset))), 0)
    case 'int8':
      return i32.load8_s(address, offset)
    case 'uint8':
      return i32.load8_u(address, offset)
    case 'bool':
      return i32.ne(i32.load8_u(address, offset), 0)
    case 'int16':
      return i32.load16_s(address, offset)
    case 'int32':
    case 'uint32':
      return i32.load(address, offset)
    case 'int64':
      return i64.load(address, offset)
    case 'string':
      throw new InternalError('strings are not in device memory')
  }
}

/** Writes one element; half precision is rounded. */
export function storeScalar(
  f: Code,
  dtype: DType,
  address: Operand<'i32'>,
  value: Local<ScalarType>,
): Value<'none'> {
  switch (dtype) {
    case 'float32':
      return f32.store(address, value as Value<'f32'>)
    case 'float64':
      return f64.store(address, value as Value<'f64'>)
    case 'float16':
    case 'bfloat16':
      return i32.store16(
        address,
        i32x4.extract_lane(half[dtype].narrow(f, f32x4.splat(value as Value<'f32'>)), 0),
      )
    case 'int8':
    case 'uint8':
    case 'bool':
      return i32.store8(address, value as Value<'i32'>)
    case 'int16':
      return i32.store16(address, value as Value<'i32'>)
    case 'int32':
    case 'uint32':
      return i32.store(address, value as Value<'i32'>)
    case 'int64':
      return i64.store(address, value as Value<'i64'>)
    case 'string':
      throw new InternalError('strings are not in device memory')
  }
}
