// Which functions of float32 have vector code: in place within loops, as a call where only one number is wanted.
import type { Binary, Unary } from '@shoal/core'
import {
  binaryMath,
  Lanes,
  unaryMath,
  type UnaryMath,
  type BinaryMath,
  vectorMath,
  vectorMath2,
  type Vector,
} from '../math/index.ts'
import { call, f32x4, v128, type Value } from '../wasm/index.ts'
import type { Scalar } from './representation.ts'
import type { Writer } from './scalar.ts'

/** Is there vector code for it? */
export const hasUnary = (op: Unary): op is Unary & UnaryMath => Object.hasOwn(unaryMath, op)
/** Is there vector code for it? */
export const hasBinary = (op: Binary): op is Binary & BinaryMath => Object.hasOwn(binaryMath, op)

/** Four lanes of float32 through a function, written in place. */
export function unaryInPlace({ module, f, relaxed }: Writer, op: UnaryMath, x: Vector): Vector {
  return f.let(unaryMath[op](new Lanes(module, f, relaxed), x))
}
/** The same for functions of two numbers. */
export function binaryInPlace({ module, f, relaxed }: Writer, op: BinaryMath, a: Vector, b: Vector): Vector {
  const y = f.let(binaryMath[op](new Lanes(module, f, relaxed), a, b))
  return op === 'pow' ? f.let(v128.bitselect(f.constant(f32x4.const(1)), y, alwaysOne(a, b))) : y
}

/** Where IEEE-754's pow is 1 and JavaScript's is NaN: 1 to any power, and -1 to an infinite one. */
function alwaysOne(a: Vector, b: Vector): Vector {
  const infinite = f32x4.eq(f32x4.abs(b), f32x4.const(Infinity))
  return v128.or(f32x4.eq(a, f32x4.const(1)), v128.and(f32x4.eq(a, f32x4.const(-1)), infinite))
}

const lanes = (x: Scalar): Value<'v128'> => f32x4.splat(x as Value<'f32'>)

/** One number through the same code, so that an element does not depend on where in an array it stands. */
export function unaryOne({ module, relaxed }: Writer, op: UnaryMath, x: Scalar): Value<'f32'> {
  return f32x4.extract_lane(call(vectorMath(module, op, { relaxed }), lanes(x)), 0)
}
/** The same for functions of two numbers. */
export function binaryOne(
  { module, f, relaxed }: Writer,
  op: BinaryMath,
  a: Scalar,
  b: Scalar,
): Value<'f32'> {
  const y = call(vectorMath2(module, op, { relaxed }), lanes(a), lanes(b))
  return f32x4.extract_lane(
    op === 'pow' ? v128.bitselect(f.constant(f32x4.const(1)), y, alwaysOne(lanes(a), lanes(b))) : y,
    0,
  )
}
