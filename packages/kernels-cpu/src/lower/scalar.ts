// Scalar expressions one element at a time, in any dtype: the complete target, on which vector code falls back lane by lane.
import type { Binary, Comparison, DType, ScalarTarget, Unary } from '@shoal/core'
import { binaryNames, comparisonNames, fromNames, InternalError, unaryNames } from '@shoal/core'
import { i32, type ModuleBuilder, select, type Value } from '../wasm/index.ts'
import { callImported } from './imported.ts'
import {
  type Code,
  constant,
  instruction,
  isFloat,
  isUnsigned,
  type Scalar,
  typeOf,
  wrap,
} from './representation.ts'
import { castScalar, fromFloat64, toFloat64 } from './scalarCast.ts'
import { binaryOne, hasBinary, hasUnary, unaryOne } from './vectorMath.ts'

/** What a scalar operation is written into. */
export interface Writer {
  readonly module: ModuleBuilder
  readonly f: Code
  /** May multiplication and addition be fused? */
  readonly relaxed: boolean
}

/** The operations without loops and loads: what vector code needs for one lane. Every answer is a local. */
export type Arithmetic<V> = Pick<
  ScalarTarget<V>,
  'unary' | 'binary' | 'compare' | 'cast' | 'select' | 'const'
>

/** Operations on one number. Operands must be locals or constants. */
export function scalarArithmetic(writer: Writer): Arithmetic<Scalar> {
  const { f, module } = writer
  const keep = (x: Scalar): Scalar => f.let(x)
  return {
    unary: fromNames(
      unaryNames,
      (op) => (x: Scalar, dtype: DType) => keep(unaryScalar(writer, op, x, dtype)),
    ),
    binary: fromNames(
      binaryNames,
      (op) => (a: Scalar, b: Scalar, dtype: DType) => keep(binaryScalar(writer, op, a, b, dtype)),
    ),
    compare: fromNames(
      comparisonNames,
      (op) => (a: Scalar, b: Scalar, dtype: DType) => keep(compareScalar(op, a, b, dtype)),
    ),
    cast: (x, from, to) => keep(castScalar(module, f, x, from, to)),
    select: (cond, a, b) => keep(select(cond as Value<'i32'>, a, b)),
    const: (value, dtype) => constant(value, dtype),
  }
}

const named: Partial<Record<Unary, string>> = {
  neg: 'neg',
  abs: 'abs',
  floor: 'floor',
  ceil: 'ceil',
  round: 'nearest',
  trunc: 'trunc',
  sqrt: 'sqrt',
}

function unaryScalar(writer: Writer, op: Unary, x: Scalar, dtype: DType): Scalar {
  if (op === 'not') return i32.eqz(x as Value<'i32'>)
  if (!isFloat(dtype)) return unaryInteger(op, x, dtype)
  const name = named[op]
  if (name) return instruction(typeOf(dtype), name)(x)
  if (op === 'sign') return signOf(x, dtype)
  if (dtype === 'float32' && hasUnary(op)) return unaryOne(writer, op, x)
  return fromFloat64(callImported(writer.module, op, dtype, [toFloat64(x, dtype)]) as Value<'f64'>, dtype)
}

function signOf(x: Scalar, dtype: DType): Scalar {
  const type = typeOf(dtype)
  const nonZero = instruction('i32', 'or')(
    instruction(type, 'lt')(x, constant(0, dtype)),
    instruction(type, 'gt')(x, constant(0, dtype)),
  )
  return select(nonZero as Value<'i32'>, instruction(type, 'copysign')(constant(1, dtype), x), x)
}

function unaryInteger(op: Unary, x: Scalar, dtype: DType): Scalar {
  const type = typeOf(dtype)
  const zero = constant(0, dtype)
  const negated = instruction(type, 'sub')(zero, x)
  switch (op) {
    case 'neg':
      return wrap(negated, dtype)
    case 'abs':
      return isUnsigned(dtype) ? x : wrap(select(less(x, zero, dtype), negated, x), dtype)
    case 'sign': {
      const positive = isUnsigned(dtype) ? instruction(type, 'ne')(x, zero) : less(zero, x, dtype)
      const negative = isUnsigned(dtype) ? i32.const(0) : less(x, zero, dtype)
      const sign = i32.sub(positive as Value<'i32'>, negative)
      return type === 'i64' ? instruction('i64', 'extend_i32_s')(sign) : sign
    }
    case 'bitNot':
      return wrap(instruction(type, 'xor')(x, constant(-1, dtype)), dtype)
    case 'floor':
    case 'ceil':
    case 'round':
    case 'trunc':
      return x
    default:
      throw new InternalError(`${op} is only defined on floats, not on ${dtype}`)
  }
}

const less = (a: Scalar, b: Scalar, dtype: DType): Value<'i32'> => compareScalar('lt', a, b, dtype)

function compareScalar(op: Comparison, a: Scalar, b: Scalar, dtype: DType): Value<'i32'> {
  const ordered = op === 'lt' || op === 'le'
  const suffix = ordered && !isFloat(dtype) ? (isUnsigned(dtype) ? '_u' : '_s') : ''
  return instruction(typeOf(dtype), op + suffix)(a, b) as Value<'i32'>
}

function binaryScalar(writer: Writer, op: Binary, a: Scalar, b: Scalar, dtype: DType): Scalar {
  const type = typeOf(dtype)
  if (isFloat(dtype)) {
    if (op === 'add' || op === 'sub' || op === 'mul' || op === 'div' || op === 'min' || op === 'max')
      return instruction(type, op)(a, b)
    if (dtype === 'float32' && hasBinary(op)) return binaryOne(writer, op, a, b)
    const wide = [toFloat64(a, dtype), toFloat64(b, dtype)]
    return fromFloat64(callImported(writer.module, op, dtype, wide) as Value<'f64'>, dtype)
  }
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
      // Sums of bools are `or`, products `and`: they stay 0 and 1.
      if (dtype === 'bool') return instruction(type, op === 'mul' ? 'and' : op === 'add' ? 'or' : 'xor')(a, b)
      return wrap(instruction(type, op)(a, b), dtype)
    case 'and':
    case 'or':
    case 'xor':
      return instruction(type, op)(a, b)
    case 'min':
      return select(less(a, b, dtype), a, b)
    case 'max':
      return select(less(a, b, dtype), b, a)
    case 'div':
    case 'rem':
      return divide(writer.f, op, a, b, dtype)
    case 'shl':
    case 'shr':
      return shift(op, a, b, dtype)
    case 'pow':
    case 'atan2': {
      if (type === 'i64') return callImported(writer.module, op, dtype, [a, b])
      const wide = [toFloat64(a, dtype), toFloat64(b, dtype)]
      return fromFloat64(callImported(writer.module, op, dtype, wide) as Value<'f64'>, dtype)
    }
  }
}

/** By zero the answer is 0. Both that and the least integer by -1 would trap: the divisor is replaced and the answer mended. */
function divide(f: Code, op: 'div' | 'rem', a: Scalar, b: Scalar, dtype: DType): Scalar {
  const type = typeOf(dtype)
  const zero = constant(0, dtype)
  const byZero = f.let(instruction(type, 'eq')(b, zero) as Value<'i32'>)
  const byMinusOne = isUnsigned(dtype)
    ? f.constant(i32.const(0))
    : f.let(instruction(type, 'eq')(b, constant(-1, dtype)) as Value<'i32'>)
  const divisor = select(i32.or(byZero, byMinusOne), constant(1, dtype), b)
  const answer = instruction(type, `${op}_${isUnsigned(dtype) ? 'u' : 's'}`)(a, divisor)
  const mended = op === 'div' ? select(byMinusOne, instruction(type, 'sub')(zero, a), answer) : answer
  return wrap(select(byZero, zero, mended), dtype)
}

/** The amount is taken modulo the width of the dtype. */
function shift(op: 'shl' | 'shr', a: Scalar, b: Scalar, dtype: DType): Scalar {
  const type = typeOf(dtype)
  const bits = { int8: 8, uint8: 8, int16: 16, bool: 8 }[dtype as string] ?? (type === 'i64' ? 64 : 32)
  const amount = instruction(type, 'and')(b, constant(bits - 1, dtype === 'int64' ? 'int64' : 'int32'))
  const name = op === 'shl' ? 'shl' : isUnsigned(dtype) ? 'shr_u' : 'shr_s'
  return wrap(instruction(type, name)(a, amount), dtype)
}
