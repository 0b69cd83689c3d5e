// Elements to be put in order, as records of a rank and an index: ranks are unsigned integers of which the smaller comes first.
import type { DType } from '@shoal/core'
import { dtypes } from '@shoal/core'
import { instruction, isFloat, isUnsigned } from '../../lower/representation.ts'
import {
  type FunctionBuilder,
  i32,
  i64,
  type Local,
  type Operand,
  select,
  type Value,
} from '../../wasm/index.ts'

/** What a rank is held in. */
export type Rank = Local<'i32' | 'i64'>

/** How elements of a dtype are ranked, and how records lie in memory: the index first, the rank at `rankOffset`. */
export interface Records {
  /** Bytes of a record. */
  readonly bytes: number
  readonly rankOffset: number
  /** Low bytes of a rank that tell ranks apart; those above are 0. */
  readonly rankBytes: number
  /** The rank of the element at an address. NaN is greater than everything, zeros are equal. */
  rankOf(f: FunctionBuilder, element: Operand<'i32'>): Rank
  /** The rank in the record at an address. */
  rankAt(record: Operand<'i32'>): Value<'i32' | 'i64'>
  /** Is rank `a` before rank `b`? */
  before(a: Value<'i32' | 'i64'>, b: Value<'i32' | 'i64'>): Value<'i32'>
  store(f: FunctionBuilder, record: Local<'i32'>, index: Operand<'i32'>, rank: Rank): void
}

/** Records of a dtype in ascending order, or in descending order. */
export function recordsOf(dtype: DType, descending: boolean): Records {
  const { bytes } = dtypes[dtype]
  const wide = bytes === 8
  const type = wide ? 'i64' : 'i32'
  const rankOffset = wide ? 8 : 4
  const reversed = wide ? -1n : 2 ** (8 * bytes) - 1
  return {
    bytes: 2 * rankOffset,
    rankOffset,
    rankBytes: bytes,
    rankOf(f, element) {
      const rank = isFloat(dtype)
        ? wide
          ? wideFloat(f, element)
          : narrowFloat(f, dtype, element)
        : integer(dtype, element)
      return f.let(descending ? (instruction(type, 'xor')(rank, reversed) as typeof rank) : rank)
    },
    rankAt: (record) => (wide ? i64 : i32).load(record, rankOffset),
    before: (a, b) => instruction(type, 'lt_u')(a, b) as Value<'i32'>,
    store(f, record, index, rank) {
      f.do(i32.store(record, index))
      if (rank.type === 'i64') f.do(i64.store(record, rank as Local<'i64'>, rankOffset))
      else f.do(i32.store(record, rank as Local<'i32'>, rankOffset))
    },
  }
}

/** Signed integers are moved up by half their range. */
function integer(dtype: DType, element: Operand<'i32'>): Value<'i32' | 'i64'> {
  const { bytes } = dtypes[dtype]
  if (bytes === 8) return i64.xor(i64.load(element), 1n << 63n)
  const bits = bytes === 1 ? i32.load8_u(element) : bytes === 2 ? i32.load16_u(element) : i32.load(element)
  return isUnsigned(dtype) ? bits : i32.xor(bits, 2 ** (8 * bytes - 1))
}

/** The bits of Infinity in the upper bits of 32. */
const infinities: Partial<Record<DType, number>> = {
  float32: 0x7f80_0000,
  float16: 0x7c00_0000,
  bfloat16: 0x7f80_0000,
}

/** Bits of floats ascend with positive numbers, and descend with negative ones. */
function narrowFloat(f: FunctionBuilder, dtype: DType, element: Operand<'i32'>): Value<'i32'> {
  const half = dtypes[dtype].bytes === 2
  const bits = f.let(half ? i32.shl(i32.load16_u(element), 16) : i32.load(element))
  f.set(bits, select(i32.eq(bits, 1 << 31), i32.const(0), bits))
  const ascending = i32.xor(bits, i32.or(i32.shr_s(bits, 31), 1 << 31))
  const isNaN = i32.gt_u(i32.and(bits, 0x7fff_ffff), infinities[dtype]!)
  const rank = select(isNaN, i32.const(-1), ascending)
  return half ? i32.shr_u(rank, 16) : rank
}

function wideFloat(f: FunctionBuilder, element: Operand<'i32'>): Value<'i64'> {
  const sign = 1n << 63n
  const bits = f.let(i64.load(element))
  f.set(bits, select(i64.eq(bits, sign), i64.const(0n), bits))
  const ascending = i64.xor(bits, i64.or(i64.shr_s(bits, 63n), sign))
  const isNaN = i64.gt_u(i64.and(bits, sign - 1n), 0x7ff0_0000_0000_0000n)
  return select(isNaN, i64.const(-1n), ascending)
}
