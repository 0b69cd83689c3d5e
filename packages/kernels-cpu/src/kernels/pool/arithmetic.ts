// Lane arithmetic that poolings need beyond what block products do: comparisons that know NaN, and offsets kept beside values.
import {
  f32,
  f32x4,
  f64,
  f64x2,
  i32,
  i32x4,
  i64,
  i64x2,
  type Operand,
  v128,
  type Value,
} from '../../wasm/index.ts'

type Vector = Operand<'v128'>

/** Operations on lanes of one element type; integers are kept in lanes of the same width. */
export interface Arithmetic {
  readonly const: (value: number) => Value<'v128'>
  readonly max: (a: Vector, b: Vector) => Value<'v128'>
  /** The larger of two numbers, neither of them NaN. */
  readonly pmax: (a: Vector, b: Vector) => Value<'v128'>
  readonly div: (a: Vector, b: Vector) => Value<'v128'>
  /** Is a greater than b? NaN is greater than any number, and not than another NaN. */
  readonly greater: (a: Value<'v128'>, b: Value<'v128'>) => Value<'v128'>
  readonly select: (mask: Vector, a: Vector, b: Vector) => Value<'v128'>
  /** The answer yes in all lanes. */
  readonly always: Value<'v128'>
  /** An integer as a number in all lanes. */
  readonly fromInteger: (x: Operand<'i32'>) => Value<'v128'>
  readonly splatInteger: (x: Operand<'i32'>) => Value<'v128'>
  readonly integerLane: (x: Vector, lane: number) => Value<'i32'>
  /** Adds a lane to the element at an address. The address is taken twice. */
  readonly addLane: (address: Operand<'i32'>, x: Vector, lane: number) => Value<'none'>
}

const select = (mask: Vector, a: Vector, b: Vector) => v128.bitselect(a, b, mask)
const always = i32x4.const(-1)

const single: Arithmetic = {
  const: f32x4.const,
  max: f32x4.max,
  pmax: f32x4.pmax,
  div: f32x4.div,
  greater: (a, b) => v128.or(f32x4.gt(a, b), v128.and(f32x4.ne(a, a), f32x4.eq(b, b))),
  select,
  always,
  fromInteger: (x) => f32x4.splat(f32.convert_i32_s(x)),
  splatInteger: i32x4.splat,
  integerLane: (x, lane) => i32x4.extract_lane(x, lane),
  addLane: (address, x, lane) => f32.store(address, f32.add(f32.load(address), f32x4.extract_lane(x, lane))),
}

const double: Arithmetic = {
  const: f64x2.const,
  max: f64x2.max,
  pmax: f64x2.pmax,
  div: f64x2.div,
  greater: (a, b) => v128.or(f64x2.gt(a, b), v128.and(f64x2.ne(a, a), f64x2.eq(b, b))),
  select,
  always,
  fromInteger: (x) => f64x2.splat(f64.convert_i32_s(x)),
  splatInteger: (x) => i64x2.splat(i64.extend_i32_u(x)),
  integerLane: (x, lane) => i32.wrap_i64(i64x2.extract_lane(x, lane)),
  addLane: (address, x, lane) => f64.store(address, f64.add(f64.load(address), f64x2.extract_lane(x, lane))),
}

/** By element type. */
export const arithmetics: Readonly<Record<'f32' | 'f64', Arithmetic>> = { f32: single, f64: double }
