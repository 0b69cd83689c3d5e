// The scalar instructions: i32, i64, f32 and f64 as in the specification, plus `const`.
import { type Instructions, instructions } from './instructions.ts'
import { literal, type Value } from './value.ts'

// biome-ignore format: rows of opcodes read as a table
const i32Table = [
  {
    takes: ['i32', 'i32'],
    gives: 'i32',
    opcodes: {
      add: 0x6a, sub: 0x6b, mul: 0x6c, div_s: 0x6d, div_u: 0x6e, rem_s: 0x6f, rem_u: 0x70,
      and: 0x71, or: 0x72, xor: 0x73, shl: 0x74, shr_s: 0x75, shr_u: 0x76, rotl: 0x77, rotr: 0x78,
      eq: 0x46, ne: 0x47, lt_s: 0x48, lt_u: 0x49, gt_s: 0x4a, gt_u: 0x4b, le_s: 0x4c, le_u: 0x4d, ge_s: 0x4e, ge_u: 0x4f,
    },
  },
  { takes: ['i32'], gives: 'i32', opcodes: { eqz: 0x45, clz: 0x67, ctz: 0x68, popcnt: 0x69, extend8_s: 0xc0, extend16_s: 0xc1 } },
  { takes: ['i64'], gives: 'i32', opcodes: { wrap_i64: 0xa7 } },
  { takes: ['f32'], gives: 'i32', opcodes: { trunc_f32_s: 0xa8, trunc_f32_u: 0xa9, trunc_sat_f32_s: 0xfc_0000, trunc_sat_f32_u: 0xfc_0001, reinterpret_f32: 0xbc } },
  { takes: ['f64'], gives: 'i32', opcodes: { trunc_f64_s: 0xaa, trunc_f64_u: 0xab, trunc_sat_f64_s: 0xfc_0002, trunc_sat_f64_u: 0xfc_0003 } },
  { takes: ['i32'], gives: 'i32', immediate: 'memory', bytes: 1, opcodes: { load8_s: 0x2c, load8_u: 0x2d } },
  { takes: ['i32'], gives: 'i32', immediate: 'memory', bytes: 2, opcodes: { load16_s: 0x2e, load16_u: 0x2f } },
  { takes: ['i32'], gives: 'i32', immediate: 'memory', bytes: 4, opcodes: { load: 0x28 } },
  { takes: ['i32', 'i32'], gives: 'none', immediate: 'memory', bytes: 1, opcodes: { store8: 0x3a } },
  { takes: ['i32', 'i32'], gives: 'none', immediate: 'memory', bytes: 2, opcodes: { store16: 0x3b } },
  { takes: ['i32', 'i32'], gives: 'none', immediate: 'memory', bytes: 4, opcodes: { store: 0x36 } },
] as const

// biome-ignore format: rows of opcodes read as a table
const i64Table = [
  {
    takes: ['i64', 'i64'],
    gives: 'i64',
    opcodes: {
      add: 0x7c, sub: 0x7d, mul: 0x7e, div_s: 0x7f, div_u: 0x80, rem_s: 0x81, rem_u: 0x82,
      and: 0x83, or: 0x84, xor: 0x85, shl: 0x86, shr_s: 0x87, shr_u: 0x88, rotl: 0x89, rotr: 0x8a,
    },
  },
  {
    takes: ['i64', 'i64'],
    gives: 'i32',
    opcodes: { eq: 0x51, ne: 0x52, lt_s: 0x53, lt_u: 0x54, gt_s: 0x55, gt_u: 0x56, le_s: 0x57, le_u: 0x58, ge_s: 0x59, ge_u: 0x5a },
  },
  { takes: ['i64'], gives: 'i32', opcodes: { eqz: 0x50 } },
  { takes: ['i64'], gives: 'i64', opcodes: { clz: 0x79, ctz: 0x7a, popcnt: 0x7b, extend8_s: 0xc2, extend16_s: 0xc3, extend32_s: 0xc4 } },
  { takes: ['i32'], gives: 'i64', opcodes: { extend_i32_s: 0xac, extend_i32_u: 0xad } },
  { takes: ['f32'], gives: 'i64', opcodes: { trunc_f32_s: 0xae, trunc_f32_u: 0xaf, trunc_sat_f32_s: 0xfc_0004, trunc_sat_f32_u: 0xfc_0005 } },
  { takes: ['f64'], gives: 'i64', opcodes: { trunc_f64_s: 0xb0, trunc_f64_u: 0xb1, trunc_sat_f64_s: 0xfc_0006, trunc_sat_f64_u: 0xfc_0007, reinterpret_f64: 0xbd } },
  { takes: ['i32'], gives: 'i64', immediate: 'memory', bytes: 1, opcodes: { load8_s: 0x30, load8_u: 0x31 } },
  { takes: ['i32'], gives: 'i64', immediate: 'memory', bytes: 2, opcodes: { load16_s: 0x32, load16_u: 0x33 } },
  { takes: ['i32'], gives: 'i64', immediate: 'memory', bytes: 4, opcodes: { load32_s: 0x34, load32_u: 0x35 } },
  { takes: ['i32'], gives: 'i64', immediate: 'memory', bytes: 8, opcodes: { load: 0x29 } },
  { takes: ['i32', 'i64'], gives: 'none', immediate: 'memory', bytes: 1, opcodes: { store8: 0x3c } },
  { takes: ['i32', 'i64'], gives: 'none', immediate: 'memory', bytes: 2, opcodes: { store16: 0x3d } },
  { takes: ['i32', 'i64'], gives: 'none', immediate: 'memory', bytes: 4, opcodes: { store32: 0x3e } },
  { takes: ['i32', 'i64'], gives: 'none', immediate: 'memory', bytes: 8, opcodes: { store: 0x37 } },
] as const

// biome-ignore format: rows of opcodes read as a table
const f32Table = [
  { takes: ['f32', 'f32'], gives: 'f32', opcodes: { add: 0x92, sub: 0x93, mul: 0x94, div: 0x95, min: 0x96, max: 0x97, copysign: 0x98 } },
  { takes: ['f32', 'f32'], gives: 'i32', opcodes: { eq: 0x5b, ne: 0x5c, lt: 0x5d, gt: 0x5e, le: 0x5f, ge: 0x60 } },
  { takes: ['f32'], gives: 'f32', opcodes: { abs: 0x8b, neg: 0x8c, ceil: 0x8d, floor: 0x8e, trunc: 0x8f, nearest: 0x90, sqrt: 0x91 } },
  { takes: ['i32'], gives: 'f32', opcodes: { convert_i32_s: 0xb2, convert_i32_u: 0xb3, reinterpret_i32: 0xbe } },
  { takes: ['i64'], gives: 'f32', opcodes: { convert_i64_s: 0xb4, convert_i64_u: 0xb5 } },
  { takes: ['f64'], gives: 'f32', opcodes: { demote_f64: 0xb6 } },
  { takes: ['i32'], gives: 'f32', immediate: 'memory', bytes: 4, opcodes: { load: 0x2a } },
  { takes: ['i32', 'f32'], gives: 'none', immediate: 'memory', bytes: 4, opcodes: { store: 0x38 } },
] as const

// biome-ignore format: rows of opcodes read as a table
const f64Table = [
  { takes: ['f64', 'f64'], gives: 'f64', opcodes: { add: 0xa0, sub: 0xa1, mul: 0xa2, div: 0xa3, min: 0xa4, max: 0xa5, copysign: 0xa6 } },
  { takes: ['f64', 'f64'], gives: 'i32', opcodes: { eq: 0x61, ne: 0x62, lt: 0x63, gt: 0x64, le: 0x65, ge: 0x66 } },
  { takes: ['f64'], gives: 'f64', opcodes: { abs: 0x99, neg: 0x9a, ceil: 0x9b, floor: 0x9c, trunc: 0x9d, nearest: 0x9e, sqrt: 0x9f } },
  { takes: ['i32'], gives: 'f64', opcodes: { convert_i32_s: 0xb7, convert_i32_u: 0xb8 } },
  { takes: ['i64'], gives: 'f64', opcodes: { convert_i64_s: 0xb9, convert_i64_u: 0xba, reinterpret_i64: 0xbf } },
  { takes: ['f32'], gives: 'f64', opcodes: { promote_f32: 0xbb } },
  { takes: ['i32'], gives: 'f64', immediate: 'memory', bytes: 8, opcodes: { load: 0x2b } },
  { takes: ['i32', 'f64'], gives: 'none', immediate: 'memory', bytes: 8, opcodes: { store: 0x39 } },
] as const

/** 32-bit integers; also addresses and truth values (0 is false). */
export const i32: Instructions<typeof i32Table> & { readonly const: (value: number) => Value<'i32'> } = {
  ...instructions('i32', i32Table),
  const: (value) => literal('i32', value),
}

/** 64-bit integers. */
export const i64: Instructions<typeof i64Table> & { readonly const: (value: bigint) => Value<'i64'> } = {
  ...instructions('i64', i64Table),
  const: (value) => literal('i64', value),
}

/** Single precision. */
export const f32: Instructions<typeof f32Table> & { readonly const: (value: number) => Value<'f32'> } = {
  ...instructions('f32', f32Table),
  const: (value) => literal('f32', value),
}

/** Double precision. */
export const f64: Instructions<typeof f64Table> & { readonly const: (value: number) => Value<'f64'> } = {
  ...instructions('f64', f64Table),
  const: (value) => literal('f64', value),
}
