// How bytes that lie side by side are multiplied and summed: two ways to the same bits, of which machines are quick at one or the other.
import { i16x8, i32x4, i64x2, i8x16, type Operand, type Value, v128 } from '../../wasm/index.ts'

type Vector = Operand<'v128'>
type Address = Operand<'i32'>

/** A way to multiply: so many bytes of activations by as many of weights, added to four sums. */
export interface Product {
  readonly name: ProductName
  /** Bytes that one instruction multiplies. */
  readonly step: 8 | 16
  /** Reads a step of bytes. */
  readonly load: (address: Address, offset?: number) => Value<'v128'>
  /** Reads a quarter of a step into each lane: what meets one step of four rows of weights, interleaved. */
  readonly splat: (address: Address, offset?: number) => Value<'v128'>
  /** Reads exactly `count` bytes, 1 to less than a step; the others are 0. */
  readonly loadPart: (address: Address, count: number, offset: number) => Value<'v128'>
  /** All bits of the elements of a loaded step from `first` on. */
  readonly from: (first: number) => Value<'v128'>
  /** Loaded activations, 0 where they are less. */
  readonly activate: (x: Vector, zero: Vector) => Value<'v128'>
  /** sum + the products of x and w; those of a quarter of the step go to a lane. */
  readonly add: (sum: Vector, x: Vector, w: Vector) => Value<'v128'>
}

/** The names of the ways. */
export type ProductName = 'words' | 'pairs' | 'bytes'

/** The ways to multiply. */
export const products: Readonly<Record<ProductName, Product>> = {
  /** Widens to 16 bits, and multiplies eight pairs by an instruction of plain SIMD. */
  words: {
    name: 'words',
    step: 8,
    load: v128.load8x8_s,
    splat: (address, offset) => i16x8.extend_low_i8x16_s(v128.load16_splat(address, offset)),
    loadPart: (address, count, offset) => i16x8.extend_low_i8x16_s(loadBytes(address, count, offset)),
    from: (first) => mask(2 * first),
    activate: i16x8.max_s,
    add: (sum, x, w) => i32x4.add(sum, i32x4.dot_i16x8_s(x, w)),
  },
  pairs: {
    name: 'pairs',
    step: 16,
    load: v128.load,
    splat: v128.load32_splat,
    loadPart: loadBytes,
    from: mask,
    activate: i8x16.max_s,
    add: (sum, x, w) => i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(w, x))),
  },
  /**
   * Multiplies sixteen pairs by an instruction of relaxed SIMD. Activations of seven bits are what makes it exact. It is one instruction of
   * the machine as well where that has a dot product of bytes (ARM since version 8.2, x64 with AVX-VNNI), and five elsewhere.
   */
  bytes: {
    name: 'bytes',
    step: 16,
    load: v128.load,
    splat: v128.load32_splat,
    loadPart: loadBytes,
    from: mask,
    activate: i8x16.max_s,
    add: (sum, x, w) => i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, sum),
  },
}

/** Exactly `count` bytes, 1 to 15; the others are 0. */
function loadBytes(address: Address, count: number, offset: number): Value<'v128'> {
  const lanes = { 8: v128.load64_lane, 4: v128.load32_lane, 2: v128.load16_lane, 1: v128.load8_lane } as const
  let vector: Value<'v128'> = i32x4.const(0)
  let done = 0
  for (const size of [8, 4, 2, 1] as const) {
    if (count - done < size) continue
    vector = lanes[size](address, vector, done / size, offset + done)
    done += size
  }
  return vector
}

/** Ones in the bytes from `first` on. */
function mask(first: number): Value<'v128'> {
  const ones = (count: number) => BigInt.asIntN(64, -1n << BigInt(8 * Math.min(8, Math.max(0, count))))
  return i64x2.replace_lane(i64x2.const(first >= 8 ? 0n : ones(first)), first <= 8 ? -1n : ones(first - 8), 1)
}
