// Four neighbouring elements between memory and lanes: narrow ones are widened to 32-bit lanes and narrowed again.
import type { DType } from '@shoal/core'
import { InternalError } from '@shoal/core'
import { i16x8, i32x4, type Operand, v128, type Value } from '../wasm/index.ts'
import { half } from './half.ts'
import type { Code } from './representation.ts'
import type { Vector4 } from './vector.ts'

type Address = Operand<'i32'>

/** Reads four elements; bools become masks, half precision is widened. The answer is in locals. */
export function loadVector(f: Code, dtype: DType, address: Address, offset = 0): Vector4 {
  switch (dtype) {
    case 'float32':
    case 'int32':
    case 'uint32':
      return [f.let(v128.load(address, offset))]
    case 'float64':
    case 'int64':
      return [f.let(v128.load(address, offset)), f.let(v128.load(address, offset + 16))]
    case 'float16':
    case 'bfloat16':
      return [half[dtype].widen(f, v128.load16x4_u(address, offset))]
    case 'int16':
      return [f.let(v128.load16x4_s(address, offset))]
    case 'int8':
      return [f.let(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(address, offset))))]
    case 'uint8':
      return [f.let(bytes(address, offset))]
    case 'bool':
      return [f.let(i32x4.ne(bytes(address, offset), f.constant(i32x4.const(0))))]
    case 'string':
      throw new InternalError('strings are not in device memory')
  }
}

const bytes = (address: Address, offset: number): Value<'v128'> =>
  i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(address, offset)))

/** The low halves and the low quarters of 32-bit lanes, side by side. */
const lowHalves = [0, 2, 4, 6, 0, 2, 4, 6]
const lowBytes = [0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12]

/** Writes four elements; half precision is rounded. `x` must be in locals. */
export function storeVector(f: Code, dtype: DType, address: Address, x: Vector4, offset = 0): void {
  const [low, high] = x as readonly [Value<'v128'>, Value<'v128'>]
  switch (dtype) {
    case 'float32':
    case 'int32':
    case 'uint32':
      return f.do(v128.store(address, low, offset))
    case 'float64':
    case 'int64':
      return f.do(v128.store(address, low, offset), v128.store(address, high, offset + 16))
    case 'float16':
    case 'bfloat16':
      return storeVector(f, 'int16', address, [f.let(half[dtype].narrow(f, low))], offset)
    case 'int16':
      return f.do(v128.store64_lane(address, v128.shuffle(low, low, lowHalves), 0, offset))
    case 'int8':
    case 'uint8':
      return f.do(v128.store32_lane(address, v128.shuffle(low, low, lowBytes), 0, offset))
    case 'bool':
      return storeVector(f, 'uint8', address, [f.let(v128.and(low, f.constant(i32x4.const(1))))], offset)
    case 'string':
      throw new InternalError('strings are not in device memory')
  }
}
