// The meaning of every scalar operation on JavaScript numbers, before rounding to a dtype. Devices call these where they have nothing faster.
import type { DType, DTypeKind } from '../dtype.ts'
import { dtypes, integerRange } from '../dtype.ts'
import { fromBfloat16Bits, fromFloat16Bits, roundHalfEven, toBfloat16Bits, toFloat16Bits } from '../half.ts'
import { oddFloat64 } from '../roundToOdd.ts'
import type { Binary, Comparison, Unary } from './expr.ts'
import { special } from './special.ts'

/** Operations on numbers: floats, and integers of up to 32 bits; results are rounded or wrapped by `toDType` afterwards. */
export const onNumber: {
  readonly unary: { readonly [K in Unary]: (x: number) => number }
  readonly binary: { readonly [K in Binary]: (a: number, b: number) => number }
  readonly compare: { readonly [K in Comparison]: (a: number, b: number) => boolean }
} = {
  unary: {
    neg: (x) => -x,
    abs: Math.abs,
    sign: Math.sign,
    not: (x) => (x === 0 ? 1 : 0),
    bitNot: (x) => ~x,
    floor: Math.floor,
    ceil: Math.ceil,
    round: roundHalfEven,
    trunc: Math.trunc,
    sqrt: Math.sqrt,
    exp: Math.exp,
    expm1: Math.expm1,
    log: Math.log,
    log1p: Math.log1p,
    sin: Math.sin,
    cos: Math.cos,
    tan: Math.tan,
    asin: Math.asin,
    acos: Math.acos,
    atan: Math.atan,
    sinh: Math.sinh,
    cosh: Math.cosh,
    tanh: Math.tanh,
    asinh: Math.asinh,
    acosh: Math.acosh,
    atanh: Math.atanh,
    ...special,
  },
  binary: {
    add: (a, b) => a + b,
    sub: (a, b) => a - b,
    mul: (a, b) => a * b,
    div: (a, b) => a / b,
    rem: (a, b) => a % b,
    // JavaScript says NaN for 1 ** NaN and (-1) ** ±Infinity where IEEE-754's pow says 1.
    pow: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
    atan2: Math.atan2,
    min: Math.min,
    max: Math.max,
    and: (a, b) => a & b,
    or: (a, b) => a | b,
    xor: (a, b) => a ^ b,
    shl: (a, b) => a << b,
    shr: (a, b) => a >> b,
  },
  compare: {
    lt: (a, b) => a < b,
    le: (a, b) => a <= b,
    eq: (a, b) => a === b,
    ne: (a, b) => a !== b,
  },
}

const integerOnly = (op: string) => (): never => {
  throw new RangeError(`${op} is not defined on integers`)
}
const big = (x: boolean): bigint => (x ? 1n : 0n)

/** Integer operations that differ from those on floats: division truncates, and by zero answers 0. */
const integerBinary: Partial<Record<Binary, (a: number, b: number) => number>> = {
  div: (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
  rem: (a, b) => (b === 0 ? 0 : a % b),
  mul: Math.imul,
  // Wrapped before it becomes a number, which has 53 bits only.
  pow: (a, b) => Number(BigInt.asIntN(32, powBigInt(BigInt(a), BigInt(b)))),
}

/** Operations on int64 as bigints; results are wrapped to 64 bits afterwards. */
export const onBigInt: {
  unary(op: Unary): (x: bigint) => bigint
  readonly binary: { readonly [K in Binary]: (a: bigint, b: bigint) => bigint }
} = {
  unary: (op) => bigUnary[op] ?? integerOnly(op),
  binary: {
    add: (a, b) => a + b,
    sub: (a, b) => a - b,
    mul: (a, b) => a * b,
    div: (a, b) => (b === 0n ? 0n : a / b),
    rem: (a, b) => (b === 0n ? 0n : a % b),
    pow: (a, b) => powBigInt(a, b),
    atan2: integerOnly('atan2'),
    min: (a, b) => (a < b ? a : b),
    max: (a, b) => (a > b ? a : b),
    and: (a, b) => a & b,
    or: (a, b) => a | b,
    xor: (a, b) => a ^ b,
    shl: (a, b) => a << (b & 63n),
    shr: (a, b) => a >> (b & 63n),
  },
}
const same = (x: bigint): bigint => x
const bigUnary: Partial<Record<Unary, (x: bigint) => bigint>> = {
  neg: (x) => -x,
  abs: (x) => (x < 0n ? -x : x),
  sign: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
  not: (x) => big(x === 0n),
  bitNot: (x) => ~x,
  floor: same,
  ceil: same,
  round: same,
  trunc: same,
}

/** a to the b, wrapped to 64 bits as it grows; 0 for negative exponents except of ±1. */
function powBigInt(a: bigint, b: bigint): bigint {
  if (b < 0n) return a === 1n ? 1n : a === -1n ? (b % 2n === 0n ? 1n : -1n) : 0n
  let result = 1n
  let square = a
  for (let rest = b; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = BigInt.asIntN(64, result * square)
    square = BigInt.asIntN(64, square * square)
  }
  return result
}

const wraps: Partial<Record<DType, (x: number) => number>> = {
  float32: Math.fround,
  float16: (x) => fromFloat16Bits(toFloat16Bits(x)),
  bfloat16: (x) => fromBfloat16Bits(toBfloat16Bits(x)),
  int8: (x) => (x << 24) >> 24,
  uint8: (x) => x & 255,
  int16: (x) => (x << 16) >> 16,
  int32: (x) => x | 0,
  uint32: (x) => x >>> 0,
}
/** Rounds (floats) or wraps (integers) a result to its dtype. */
export const toDType = (dtype: DType): ((x: number) => number) => wraps[dtype] ?? ((x) => x)

/** A unary operation on numbers of a dtype, rounded to it. */
export function unaryFunction(op: Unary, dtype: DType): (x: number) => number {
  const wrap = toDType(dtype)
  const f = onNumber.unary[op]
  return (x) => wrap(f(x))
}

/** A binary operation on numbers of a dtype, rounded to it. */
export function binaryFunction(op: Binary, dtype: DType): (a: number, b: number) => number {
  const wrap = toDType(dtype)
  const bits = dtypes[dtype].bytes * 8
  const integral = dtypes[dtype].kind === 'int' || dtypes[dtype].kind === 'uint'
  if (op === 'shl') return (a, b) => wrap(a << (b & (bits - 1)))
  if (op === 'shr')
    return dtypes[dtype].kind === 'uint'
      ? (a, b) => wrap(a >>> (b & (bits - 1)))
      : (a, b) => wrap(a >> (b & (bits - 1)))
  const f = (integral && integerBinary[op]) || onNumber.binary[op]
  return (a, b) => wrap(f(a, b))
}

/** Conversion of a number or bigint between dtypes: floats to integers truncate and saturate (NaN: 0), integers wrap, to bool is `!= 0`. */
export function castFunction(from: DType, to: DType): (x: number | bigint) => number | bigint {
  const source: DTypeKind = dtypes[from].kind
  if (to === 'bool') return (x) => (Number(x) === 0 ? 0 : 1)
  if (to === 'int64') {
    if (source !== 'float') return (x) => BigInt(x)
    return (x) =>
      Number.isNaN(x)
        ? 0n
        : x >= 2 ** 63
          ? 2n ** 63n - 1n
          : x <= -(2 ** 63)
            ? -(2n ** 63n)
            : BigInt(Math.trunc(Number(x)))
  }
  const wrap = toDType(to)
  const range = integerRange(to)
  if (source === 'float' && range) {
    const [low, high] = range
    return (x) => (Number.isNaN(x) ? 0 : Math.min(high, Math.max(low, Math.trunc(Number(x)))))
  }
  if (from === 'int64' && range) return (x) => wrap(Number(BigInt.asIntN(32, BigInt(x))))
  if (from === 'int64' && to !== 'float64') return (x) => wrap(oddFloat64(BigInt(x)))
  return (x) => wrap(Number(x))
}
