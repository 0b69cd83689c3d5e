// What the float32 functions are written in: four lanes at a time, constants hoisted, multiply-add fused where that is wanted.
import {
  f32x4,
  type FunctionBuilder,
  i32x4,
  type Local,
  type ModuleBuilder,
  type ResultType,
  type Value,
  v128,
} from '../wasm/index.ts'

/** Four float32 lanes. */
export type Vector = Value<'v128'>

/** Writes code for four float32 lanes into one function. */
export class Lanes {
  readonly module: ModuleBuilder
  readonly f: FunctionBuilder<ResultType>
  /** Use fused multiply-add; the error bounds of the functions hold with and without. */
  readonly relaxed: boolean

  constructor(module: ModuleBuilder, f: FunctionBuilder<ResultType>, relaxed: boolean) {
    this.module = module
    this.f = f
    this.relaxed = relaxed
  }

  /** A float32 in all lanes, made once per call of the function. */
  number(value: number): Local<'v128'> {
    return this.f.constant(f32x4.const(value))
  }

  /** A 32-bit integer in all lanes. */
  bits(value: number): Local<'v128'> {
    return this.f.constant(i32x4.const(value))
  }

  /** Computes a value here, for use more than once. */
  let(value: Vector): Local<'v128'> {
    return this.f.let(value)
  }

  /** a · b + c */
  multiplyAdd(a: Vector, b: Vector, c: Vector): Vector {
    return this.relaxed ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c)
  }

  /** A polynomial in x by Horner's rule; the coefficient of the highest power comes first. `x` must be a local. */
  polynomial(x: Local<'v128'>, coefficients: readonly number[]): Vector {
    const [highest = 0, ...others] = coefficients
    return others.reduce<Vector>(
      (sum, coefficient) => this.multiplyAdd(sum, x, this.number(coefficient)),
      this.number(highest),
    )
  }

  /** `a` in the lanes where `mask` is all ones, `b` where it is all zeros. */
  select(mask: Vector, a: Vector, b: Vector): Vector {
    return v128.bitselect(a, b, mask)
  }

  /** The sign bits alone. */
  sign(x: Vector): Vector {
    return v128.and(x, this.bits(0x80000000))
  }

  abs(x: Vector): Vector {
    return v128.and(x, this.bits(0x7fffffff))
  }
}

/** Writes a function of one argument in place; the argument is taken once. */
export type LaneFunction = (lanes: Lanes, x: Vector) => Vector

/** Writes a function of two arguments in place. */
export type LaneFunction2 = (lanes: Lanes, x: Vector, y: Vector) => Vector
