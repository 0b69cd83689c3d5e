// Lane arithmetic that sweeps need beyond what block products do: comparisons that know NaN, and tap numbers kept beside values.
import {
  f32,
  f32x4,
  f64,
  f64x2,
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
  /** The larger of two numbers; a, where one of them is NaN. */
  readonly pmax: (a: Vector, b: Vector) => Value<'v128'>
  readonly div: (a: Vector, b: Vector) => Value<'v128'>
  /** Is a greater than b? NaN is greater than any number, and not than another NaN. */
  readonly greater: (a: Vector, b: Value<'v128'>) => Value<'v128'>
  readonly sameInteger: (a: Vector, b: Vector) => Value<'v128'>
  /** An integer as a number in all lanes. */
  readonly fromInteger: (x: Operand<'i32'>) => Value<'v128'>
  readonly splatInteger: (x: Operand<'i32'>) => Value<'v128'>
}

const single: Arithmetic = {
  const: f32x4.const,
  pmax: f32x4.pmax,
  div: f32x4.div,
  // NaN makes every comparison but 'unequal' false.
  greater: (a, b) => v128.andnot(f32x4.eq(b, b), f32x4.le(a, b)),
  sameInteger: i32x4.eq,
  fromInteger: (x) => f32x4.splat(f32.convert_i32_s(x)),
  splatInteger: i32x4.splat,
}

const double: Arithmetic = {
  const: f64x2.const,
  pmax: f64x2.pmax,
  div: f64x2.div,
  // NaN makes every comparison but 'unequal' false.
  greater: (a, b) => v128.andnot(f64x2.eq(b, b), f64x2.le(a, b)),
  sameInteger: i64x2.eq,
  fromInteger: (x) => f64x2.splat(f64.convert_i32_s(x)),
  splatInteger: (x) => i64x2.splat(i64.extend_i32_u(x)),
}

/** By element type. */
export const arithmetics: Readonly<Record<'f32' | 'f64', Arithmetic>> = { f32: single, f64: double }
