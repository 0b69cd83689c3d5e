// The 128-bit vector instructions, one object per lane shape as in the specification, plus `const` and `shuffle`.
import { type Instructions, instructions } from './instructions.ts'
import { AssemblerError, type Operand, toValue, type Value } from './value.ts'

const unary = { takes: ['v128'], gives: 'v128' } as const
const binary = { takes: ['v128', 'v128'], gives: 'v128' } as const
const ternary = { takes: ['v128', 'v128', 'v128'], gives: 'v128' } as const
const test = { takes: ['v128'], gives: 'i32' } as const
const shift = { takes: ['v128', 'i32'], gives: 'v128' } as const
const load = { takes: ['i32'], gives: 'v128', immediate: 'memory' } as const
const loadLane = { takes: ['i32', 'v128'], gives: 'v128', immediate: 'memoryLane' } as const
const storeLane = { takes: ['i32', 'v128'], gives: 'none', immediate: 'memoryLane' } as const

// biome-ignore format: rows of opcodes read as a table
const v128Table = [
  { ...unary, opcodes: { not: 0xfd_004d } },
  { ...binary, opcodes: { and: 0xfd_004e, andnot: 0xfd_004f, or: 0xfd_0050, xor: 0xfd_0051 } },
  // bitselect(a, b, mask): bits of a where mask is 1, of b where it is 0
  { ...ternary, opcodes: { bitselect: 0xfd_0052 } },
  { ...test, opcodes: { any_true: 0xfd_0053 } },
  { ...load, bytes: 16, opcodes: { load: 0xfd_0000 } },
  { takes: ['i32', 'v128'], gives: 'none', immediate: 'memory', bytes: 16, opcodes: { store: 0xfd_000b } },
  { ...load, bytes: 8, opcodes: {
    load8x8_s: 0xfd_0001, load8x8_u: 0xfd_0002, load16x4_s: 0xfd_0003, load16x4_u: 0xfd_0004,
    load32x2_s: 0xfd_0005, load32x2_u: 0xfd_0006, load64_splat: 0xfd_000a, load64_zero: 0xfd_005d,
  } },
  { ...load, bytes: 4, opcodes: { load32_splat: 0xfd_0009, load32_zero: 0xfd_005c } },
  { ...load, bytes: 2, opcodes: { load16_splat: 0xfd_0008 } },
  { ...load, bytes: 1, opcodes: { load8_splat: 0xfd_0007 } },
  { ...loadLane, bytes: 1, opcodes: { load8_lane: 0xfd_0054 } },
  { ...loadLane, bytes: 2, opcodes: { load16_lane: 0xfd_0055 } },
  { ...loadLane, bytes: 4, opcodes: { load32_lane: 0xfd_0056 } },
  { ...loadLane, bytes: 8, opcodes: { load64_lane: 0xfd_0057 } },
  { ...storeLane, bytes: 1, opcodes: { store8_lane: 0xfd_0058 } },
  { ...storeLane, bytes: 2, opcodes: { store16_lane: 0xfd_0059 } },
  { ...storeLane, bytes: 4, opcodes: { store32_lane: 0xfd_005a } },
  { ...storeLane, bytes: 8, opcodes: { store64_lane: 0xfd_005b } },
] as const

// biome-ignore format: rows of opcodes read as a table
const f32x4Table = [
  { takes: ['f32'], gives: 'v128', opcodes: { splat: 0xfd_0013 } },
  { takes: ['v128'], gives: 'f32', immediate: 'lane', opcodes: { extract_lane: 0xfd_001f } },
  { takes: ['v128', 'f32'], gives: 'v128', immediate: 'lane', opcodes: { replace_lane: 0xfd_0020 } },
  { ...binary, opcodes: {
    eq: 0xfd_0041, ne: 0xfd_0042, lt: 0xfd_0043, gt: 0xfd_0044, le: 0xfd_0045, ge: 0xfd_0046,
    add: 0xfd_00e4, sub: 0xfd_00e5, mul: 0xfd_00e6, div: 0xfd_00e7,
    // pmin(a, b) = b < a ? b : a, pmax(a, b) = a < b ? b : a: one machine instruction, and a NaN in a stays
    min: 0xfd_00e8, max: 0xfd_00e9, pmin: 0xfd_00ea, pmax: 0xfd_00eb, relaxed_min: 0xfd_010d, relaxed_max: 0xfd_010e,
  } },
  { ...unary, opcodes: {
    abs: 0xfd_00e0, neg: 0xfd_00e1, sqrt: 0xfd_00e3, ceil: 0xfd_0067, floor: 0xfd_0068, trunc: 0xfd_0069, nearest: 0xfd_006a,
    convert_i32x4_s: 0xfd_00fa, convert_i32x4_u: 0xfd_00fb, demote_f64x2_zero: 0xfd_005e,
  } },
  // relaxed_madd(a, b, c) = a * b + c, relaxed_nmadd = -(a * b) + c, fused or not as the machine likes
  { ...ternary, opcodes: { relaxed_madd: 0xfd_0105, relaxed_nmadd: 0xfd_0106 } },
] as const

// biome-ignore format: rows of opcodes read as a table
const f64x2Table = [
  { takes: ['f64'], gives: 'v128', opcodes: { splat: 0xfd_0014 } },
  { takes: ['v128'], gives: 'f64', immediate: 'lane', opcodes: { extract_lane: 0xfd_0021 } },
  { takes: ['v128', 'f64'], gives: 'v128', immediate: 'lane', opcodes: { replace_lane: 0xfd_0022 } },
  { ...binary, opcodes: {
    eq: 0xfd_0047, ne: 0xfd_0048, lt: 0xfd_0049, gt: 0xfd_004a, le: 0xfd_004b, ge: 0xfd_004c,
    add: 0xfd_00f0, sub: 0xfd_00f1, mul: 0xfd_00f2, div: 0xfd_00f3,
    min: 0xfd_00f4, max: 0xfd_00f5, pmin: 0xfd_00f6, pmax: 0xfd_00f7, relaxed_min: 0xfd_010f, relaxed_max: 0xfd_0110,
  } },
  { ...unary, opcodes: {
    abs: 0xfd_00ec, neg: 0xfd_00ed, sqrt: 0xfd_00ef, ceil: 0xfd_0074, floor: 0xfd_0075, trunc: 0xfd_007a, nearest: 0xfd_0094,
    convert_low_i32x4_s: 0xfd_00fe, convert_low_i32x4_u: 0xfd_00ff, promote_low_f32x4: 0xfd_005f,
  } },
  { ...ternary, opcodes: { relaxed_madd: 0xfd_0107, relaxed_nmadd: 0xfd_0108 } },
] as const

// biome-ignore format: rows of opcodes read as a table
const i8x16Table = [
  { takes: ['i32'], gives: 'v128', opcodes: { splat: 0xfd_000f } },
  { takes: ['v128'], gives: 'i32', immediate: 'lane', opcodes: { extract_lane_s: 0xfd_0015, extract_lane_u: 0xfd_0016 } },
  { takes: ['v128', 'i32'], gives: 'v128', immediate: 'lane', opcodes: { replace_lane: 0xfd_0017 } },
  { ...binary, opcodes: {
    eq: 0xfd_0023, ne: 0xfd_0024, lt_s: 0xfd_0025, lt_u: 0xfd_0026, gt_s: 0xfd_0027, gt_u: 0xfd_0028,
    le_s: 0xfd_0029, le_u: 0xfd_002a, ge_s: 0xfd_002b, ge_u: 0xfd_002c,
    add: 0xfd_006e, add_sat_s: 0xfd_006f, add_sat_u: 0xfd_0070, sub: 0xfd_0071, sub_sat_s: 0xfd_0072, sub_sat_u: 0xfd_0073,
    min_s: 0xfd_0076, min_u: 0xfd_0077, max_s: 0xfd_0078, max_u: 0xfd_0079, avgr_u: 0xfd_007b,
    narrow_i16x8_s: 0xfd_0065, narrow_i16x8_u: 0xfd_0066, swizzle: 0xfd_000e, relaxed_swizzle: 0xfd_0100,
  } },
  { ...unary, opcodes: { abs: 0xfd_0060, neg: 0xfd_0061, popcnt: 0xfd_0062 } },
  { ...test, opcodes: { all_true: 0xfd_0063, bitmask: 0xfd_0064 } },
  { ...shift, opcodes: { shl: 0xfd_006b, shr_s: 0xfd_006c, shr_u: 0xfd_006d } },
] as const

// biome-ignore format: rows of opcodes read as a table
const i16x8Table = [
  { takes: ['i32'], gives: 'v128', opcodes: { splat: 0xfd_0010 } },
  { takes: ['v128'], gives: 'i32', immediate: 'lane', opcodes: { extract_lane_s: 0xfd_0018, extract_lane_u: 0xfd_0019 } },
  { takes: ['v128', 'i32'], gives: 'v128', immediate: 'lane', opcodes: { replace_lane: 0xfd_001a } },
  { ...binary, opcodes: {
    eq: 0xfd_002d, ne: 0xfd_002e, lt_s: 0xfd_002f, lt_u: 0xfd_0030, gt_s: 0xfd_0031, gt_u: 0xfd_0032,
    le_s: 0xfd_0033, le_u: 0xfd_0034, ge_s: 0xfd_0035, ge_u: 0xfd_0036,
    add: 0xfd_008e, add_sat_s: 0xfd_008f, add_sat_u: 0xfd_0090, sub: 0xfd_0091, sub_sat_s: 0xfd_0092, sub_sat_u: 0xfd_0093,
    mul: 0xfd_0095, min_s: 0xfd_0096, min_u: 0xfd_0097, max_s: 0xfd_0098, max_u: 0xfd_0099, avgr_u: 0xfd_009b,
    // The second operand of a relaxed dot product is 0…127: what machines make of other bytes is their own affair
    relaxed_dot_i8x16_i7x16_s: 0xfd_0112, q15mulr_sat_s: 0xfd_0082, narrow_i32x4_s: 0xfd_0085, narrow_i32x4_u: 0xfd_0086,
    extmul_low_i8x16_s: 0xfd_009c, extmul_high_i8x16_s: 0xfd_009d, extmul_low_i8x16_u: 0xfd_009e, extmul_high_i8x16_u: 0xfd_009f,
  } },
  { ...unary, opcodes: {
    abs: 0xfd_0080, neg: 0xfd_0081, extadd_pairwise_i8x16_s: 0xfd_007c, extadd_pairwise_i8x16_u: 0xfd_007d,
    extend_low_i8x16_s: 0xfd_0087, extend_high_i8x16_s: 0xfd_0088, extend_low_i8x16_u: 0xfd_0089, extend_high_i8x16_u: 0xfd_008a,
  } },
  { ...test, opcodes: { all_true: 0xfd_0083, bitmask: 0xfd_0084 } },
  { ...shift, opcodes: { shl: 0xfd_008b, shr_s: 0xfd_008c, shr_u: 0xfd_008d } },
] as const

// biome-ignore format: rows of opcodes read as a table
const i32x4Table = [
  { takes: ['i32'], gives: 'v128', opcodes: { splat: 0xfd_0011 } },
  { takes: ['v128'], gives: 'i32', immediate: 'lane', opcodes: { extract_lane: 0xfd_001b } },
  { takes: ['v128', 'i32'], gives: 'v128', immediate: 'lane', opcodes: { replace_lane: 0xfd_001c } },
  { ...binary, opcodes: {
    eq: 0xfd_0037, ne: 0xfd_0038, lt_s: 0xfd_0039, lt_u: 0xfd_003a, gt_s: 0xfd_003b, gt_u: 0xfd_003c,
    le_s: 0xfd_003d, le_u: 0xfd_003e, ge_s: 0xfd_003f, ge_u: 0xfd_0040,
    add: 0xfd_00ae, sub: 0xfd_00b1, mul: 0xfd_00b5, min_s: 0xfd_00b6, min_u: 0xfd_00b7, max_s: 0xfd_00b8, max_u: 0xfd_00b9,
    dot_i16x8_s: 0xfd_00ba, extmul_low_i16x8_s: 0xfd_00bc, extmul_high_i16x8_s: 0xfd_00bd,
    extmul_low_i16x8_u: 0xfd_00be, extmul_high_i16x8_u: 0xfd_00bf,
  } },
  { ...unary, opcodes: {
    abs: 0xfd_00a0, neg: 0xfd_00a1, extadd_pairwise_i16x8_s: 0xfd_007e, extadd_pairwise_i16x8_u: 0xfd_007f,
    extend_low_i16x8_s: 0xfd_00a7, extend_high_i16x8_s: 0xfd_00a8, extend_low_i16x8_u: 0xfd_00a9, extend_high_i16x8_u: 0xfd_00aa,
    trunc_sat_f32x4_s: 0xfd_00f8, trunc_sat_f32x4_u: 0xfd_00f9, trunc_sat_f64x2_s_zero: 0xfd_00fc, trunc_sat_f64x2_u_zero: 0xfd_00fd,
    relaxed_trunc_f32x4_s: 0xfd_0101, relaxed_trunc_f32x4_u: 0xfd_0102,
  } },
  { ...test, opcodes: { all_true: 0xfd_00a3, bitmask: 0xfd_00a4 } },
  { ...shift, opcodes: { shl: 0xfd_00ab, shr_s: 0xfd_00ac, shr_u: 0xfd_00ad } },
  { ...ternary, opcodes: { relaxed_laneselect: 0xfd_010b, relaxed_dot_i8x16_i7x16_add_s: 0xfd_0113 } },
] as const

// biome-ignore format: rows of opcodes read as a table
const i64x2Table = [
  { takes: ['i64'], gives: 'v128', opcodes: { splat: 0xfd_0012 } },
  { takes: ['v128'], gives: 'i64', immediate: 'lane', opcodes: { extract_lane: 0xfd_001d } },
  { takes: ['v128', 'i64'], gives: 'v128', immediate: 'lane', opcodes: { replace_lane: 0xfd_001e } },
  { ...binary, opcodes: {
    eq: 0xfd_00d6, ne: 0xfd_00d7, lt_s: 0xfd_00d8, gt_s: 0xfd_00d9, le_s: 0xfd_00da, ge_s: 0xfd_00db,
    add: 0xfd_00ce, sub: 0xfd_00d1, mul: 0xfd_00d5, extmul_low_i32x4_s: 0xfd_00dc, extmul_high_i32x4_s: 0xfd_00dd,
    extmul_low_i32x4_u: 0xfd_00de, extmul_high_i32x4_u: 0xfd_00df,
  } },
  { ...unary, opcodes: {
    abs: 0xfd_00c0, neg: 0xfd_00c1, extend_low_i32x4_s: 0xfd_00c7, extend_high_i32x4_s: 0xfd_00c8,
    extend_low_i32x4_u: 0xfd_00c9, extend_high_i32x4_u: 0xfd_00ca,
  } },
  { ...test, opcodes: { all_true: 0xfd_00c3, bitmask: 0xfd_00c4 } },
  { ...shift, opcodes: { shl: 0xfd_00cb, shr_s: 0xfd_00cc, shr_u: 0xfd_00cd } },
] as const

interface Constant<T> {
  /** A constant with one value in all lanes. In a loop take `f.constant(...)` instead: the engine makes it anew at every use. */
  readonly const: (value: T) => Value<'v128'>
}

/** A v128.const from 16 bytes. */
function v128Const(fill: (bytes: DataView) => void): Value<'v128'> {
  const bytes = new Uint8Array(16)
  fill(new DataView(bytes.buffer))
  return {
    type: 'v128',
    emit(code) {
      code.opcode(0xfd_000c)
      code.append(bytes)
    },
  }
}

/** Every lane of `width` bytes set by `set`. */
function lanes(width: number, set: (bytes: DataView, offset: number) => void): Value<'v128'> {
  return v128Const((bytes) => {
    for (let offset = 0; offset < 16; offset += width) set(bytes, offset)
  })
}

/**
 * Picks lanes out of the lanes of `a` followed by those of `b`. As many lanes are named as the vector has:
 * `[0, 4, 1, 5]` interleaves the first halves of two 4-lane vectors.
 */
function shuffle(a: Operand<'v128'>, b: Operand<'v128'>, picks: readonly number[]): Value<'v128'> {
  const width = 16 / picks.length
  if (![1, 2, 4, 8].includes(width)) throw new AssemblerError(`shuffle of ${picks.length} lanes`)
  const left = toValue('v128', a, 'shuffle')
  const right = toValue('v128', b, 'shuffle')
  const bytes = picks.flatMap((lane) => Array.from({ length: width }, (_, i) => lane * width + i))
  return {
    type: 'v128',
    emit(code) {
      left.emit(code)
      right.emit(code)
      code.opcode(0xfd_000d)
      code.append(bytes)
    },
  }
}

/** Whole vectors: bits, loads and stores. */
export const v128: Instructions<typeof v128Table> & { readonly shuffle: typeof shuffle } = {
  ...instructions('v128', v128Table),
  shuffle,
}

/** 4 lanes of float32. */
export const f32x4: Instructions<typeof f32x4Table> & Constant<number> = {
  ...instructions('f32x4', f32x4Table),
  const: (value) => lanes(4, (bytes, offset) => bytes.setFloat32(offset, value, true)),
}

/** 2 lanes of float64. */
export const f64x2: Instructions<typeof f64x2Table> & Constant<number> = {
  ...instructions('f64x2', f64x2Table),
  const: (value) => lanes(8, (bytes, offset) => bytes.setFloat64(offset, value, true)),
}

/** 16 lanes of 8-bit integers. */
export const i8x16: Instructions<typeof i8x16Table> & Constant<number> = {
  ...instructions('i8x16', i8x16Table),
  const: (value) => lanes(1, (bytes, offset) => bytes.setUint8(offset, value)),
}

/** 8 lanes of 16-bit integers. */
export const i16x8: Instructions<typeof i16x8Table> & Constant<number> = {
  ...instructions('i16x8', i16x8Table),
  const: (value) => lanes(2, (bytes, offset) => bytes.setUint16(offset, value, true)),
}

/** 4 lanes of 32-bit integers. */
export const i32x4: Instructions<typeof i32x4Table> & Constant<number> = {
  ...instructions('i32x4', i32x4Table),
  const: (value) => lanes(4, (bytes, offset) => bytes.setInt32(offset, value, true)),
}

/** 2 lanes of 64-bit integers. */
export const i64x2: Instructions<typeof i64x2Table> & Constant<bigint> = {
  ...instructions('i64x2', i64x2Table),
  const: (value) => lanes(8, (bytes, offset) => bytes.setBigInt64(offset, value, true)),
}
