// Scalar expressions four elements at a time: 32-bit lanes in one vector, 64-bit lanes in two, bools as masks of all ones or zeros in 32-bit lanes.
import type { Binary, Comparison, DType, Unary } from '@shoal/core'
import { binaryNames, comparisonNames, dtypes, fromNames, unaryNames } from '@shoal/core'
import { f32x4, f64x2, i32, i32x4, i64x2, v128, type Value } from '../wasm/index.ts'
import { constant, isFloat, isUnsigned, type Scalar, typeOf } from './representation.ts'
import { type Arithmetic, scalarArithmetic, type Writer } from './scalar.ts'
import { castVector } from './vectorCast.ts'
import { binaryInPlace, hasBinary, hasUnary, unaryInPlace } from './vectorMath.ts'

/** Elements that are computed at once. */
export const width = 4

/** Four numbers, in one vector or two. */
export type Vector4 = readonly Value<'v128'>[]

type Single = Value<'v128'>
type Instructions = Readonly<Record<string, (...operands: readonly unknown[]) => Single>>
const shapes = { i32: i32x4, i64: i64x2, f32: f32x4, f64: f64x2 } as unknown as Readonly<
  Record<string, Instructions>
>
const shapeOf = (dtype: DType): Instructions => shapes[typeOf(dtype)]!

/** Does a vector of this dtype take two registers? */
export const isWide = (dtype: DType): boolean => typeOf(dtype) === 'i64' || typeOf(dtype) === 'f64'

/** A number in all four lanes. */
export function splat(x: Scalar, dtype: DType): Vector4 {
  if (dtype === 'bool') return [i32x4.splat(i32.sub(0, x as Value<'i32'>))]
  const part = shapeOf(dtype)['splat']!(x)
  return isWide(dtype) ? [part, part] : [part]
}

/** Lane `lane` as a number. */
export function extract(x: Vector4, lane: number, dtype: DType): Scalar {
  const [part, at] = isWide(dtype) ? [x[lane >> 1]!, lane & 1] : [x[0]!, lane]
  if (dtype === 'bool') return i32.and(i32x4.extract_lane(part, at), 1)
  return shapeOf(dtype)['extract_lane']!(part, at) as unknown as Scalar
}

/** Four numbers, put together; `number(lane)` says them one by one. */
export function gather({ f }: Pick<Writer, 'f'>, dtype: DType, number: (lane: number) => Scalar): Vector4 {
  const parts = isWide(dtype) ? 2 : 1
  const lanes = width / parts
  return Array.from({ length: parts }, (_, p) => {
    const part = f.local('v128')
    for (let lane = 0; lane < lanes; lane++) {
      const x = number(p * lanes + lane)
      const value = dtype === 'bool' ? i32.sub(0, x as Value<'i32'>) : x
      f.set(
        part,
        lane === 0 ? shapeOf(dtype)['splat']!(value) : shapeOf(dtype)['replace_lane']!(part, value, lane),
      )
    }
    return part
  })
}

/** Operations on four numbers at once. Operands must be locals or constants, and so are the answers. */
export function vectorArithmetic(writer: Writer): Arithmetic<Vector4> {
  const { f } = writer
  const scalar = scalarArithmetic(writer)
  const keep = (x: Vector4): Vector4 => x.map((part) => f.let(part))
  // Vectors are shifted by one amount for all lanes, which must be a number: constants are remembered as such.
  const numbers = new Map<Vector4, number | bigint>()
  /** One lane after the other. */
  const lanewise = (
    operands: readonly Vector4[],
    from: DType,
    to: DType,
    one: (...x: Scalar[]) => Scalar,
  ): Vector4 => gather(writer, to, (lane) => one(...operands.map((x) => f.let(extract(x, lane, from)))))
  return {
    unary: fromNames(unaryNames, (op) => (x: Vector4, dtype: DType) => {
      const direct = unaryVector(writer, op, x, dtype)
      return direct ? keep(direct) : lanewise([x], dtype, dtype, (a) => scalar.unary[op](a, dtype))
    }),
    binary: fromNames(binaryNames, (op) => (a: Vector4, b: Vector4, dtype: DType) => {
      const amount = op === 'shl' || op === 'shr' ? numbers.get(b) : undefined
      const direct =
        amount === undefined
          ? binaryVector(writer, op, a, b, dtype)
          : shiftVector(op as 'shl' | 'shr', a, Number(amount), dtype)
      return direct ? keep(direct) : lanewise([a, b], dtype, dtype, (x, y) => scalar.binary[op](x, y, dtype))
    }),
    compare: fromNames(comparisonNames, (op) => (a: Vector4, b: Vector4, dtype: DType) => {
      const direct = compareVector(op, a, b, dtype)
      return direct
        ? keep(direct)
        : lanewise([a, b], dtype, 'bool', (x, y) => scalar.compare[op](x, y, dtype))
    }),
    cast: (x, from, to) => {
      const direct = castVector(f, x, from, to)
      return direct
        ? keep(direct)
        : lanewise([x], from, to === 'float16' || to === 'bfloat16' ? 'float32' : to, (a) =>
            scalar.cast(a, from, to),
          )
    },
    select: (cond, a, b, dtype) => keep(blend(maskFor(cond, dtype), a, b)),
    const(value, dtype) {
      const made = splat(constant(value, dtype), dtype).map((part) => f.constant(part))
      numbers.set(made, value)
      return made
    },
  }
}

/** A mask of four bools for numbers of a dtype: 64-bit lanes need it wider. */
export function maskFor(mask: Vector4, dtype: DType): Vector4 {
  return isWide(dtype) ? [i64x2.extend_low_i32x4_s(mask[0]!), i64x2.extend_high_i32x4_s(mask[0]!)] : mask
}

const blend = (mask: Vector4, a: Vector4, b: Vector4): Vector4 =>
  a.map((part, i) => v128.bitselect(part, b[i]!, mask[i]!))
/** Masks of 64-bit lanes as four bools. */
export const narrowMask = ([low, high]: Vector4): Vector4 => [v128.shuffle(low!, high!, [0, 2, 4, 6])]

const named: Partial<Record<Unary, string>> = {
  neg: 'neg',
  abs: 'abs',
  floor: 'floor',
  ceil: 'ceil',
  round: 'nearest',
  trunc: 'trunc',
  sqrt: 'sqrt',
}

/** Cuts narrow integers in 32-bit lanes back to their dtype. */
export function wrapVector(x: Vector4, dtype: DType): Vector4 {
  const bits = { int8: 24, int16: 16 }[dtype as string]
  if (bits) return [i32x4.shr_s(i32x4.shl(x[0]!, bits), bits)]
  return dtype === 'uint8' ? [v128.and(x[0]!, i32x4.const(255))] : x
}

function unaryVector(writer: Writer, op: Unary, x: Vector4, dtype: DType): Vector4 | undefined {
  if (op === 'not') return [v128.not(x[0]!)]
  const lanes = shapeOf(dtype)
  if (isFloat(dtype)) {
    const name = named[op]
    if (name) return x.map((part) => lanes[name]!(part))
    if (op === 'sign' && dtype === 'float32') return [signs(writer, x[0]!)]
    return dtype === 'float32' && hasUnary(op) ? [unaryInPlace(writer, op, x[0]!)] : undefined
  }
  if (op === 'bitNot')
    return wrapVector(
      x.map((part) => v128.not(part)),
      dtype,
    )
  if (op === 'neg')
    return wrapVector(
      x.map((part) => lanes['neg']!(part)),
      dtype,
    )
  if (op === 'abs')
    return isUnsigned(dtype)
      ? x
      : wrapVector(
          x.map((part) => lanes['abs']!(part)),
          dtype,
        )
  return op === 'floor' || op === 'ceil' || op === 'round' || op === 'trunc' ? x : undefined
}

/** ±1 where x is less or greater than 0, otherwise x itself: a zero with its sign, or NaN. */
function signs({ f }: Writer, x: Single): Single {
  const zero = f.constant(f32x4.const(0))
  const unit = v128.or(v128.and(x, f.constant(i32x4.const(1 << 31))), f.constant(f32x4.const(1)))
  return v128.bitselect(unit, x, v128.or(f32x4.lt(x, zero), f32x4.gt(x, zero)))
}

const floatNames = new Set<Binary>(['add', 'sub', 'mul', 'div', 'min', 'max'])
const wrapping = new Set<Binary>(['add', 'sub', 'mul'])
const bitwise = new Set<Binary>(['and', 'or', 'xor'])

function binaryVector(writer: Writer, op: Binary, a: Vector4, b: Vector4, dtype: DType): Vector4 | undefined {
  const lanes = shapeOf(dtype)
  const each = (name: string): Vector4 => a.map((part, i) => lanes[name]!(part, b[i]))
  if (isFloat(dtype)) {
    if (floatNames.has(op)) return each(op)
    return dtype === 'float32' && hasBinary(op) ? [binaryInPlace(writer, op, a[0]!, b[0]!)] : undefined
  }
  if (dtype === 'bool' && wrapping.has(op))
    return binaryVector(writer, op === 'mul' ? 'and' : op === 'add' ? 'or' : 'xor', a, b, dtype)
  if (bitwise.has(op)) return a.map((part, i) => v128[op as 'and' | 'or' | 'xor'](part, b[i]!))
  if (wrapping.has(op)) return wrapVector(each(op), dtype)
  if ((op === 'min' || op === 'max') && !isWide(dtype)) return each(`${op}_${isUnsigned(dtype) ? 'u' : 's'}`)
  return undefined
}

/** The amount is taken modulo the width of the dtype. */
function shiftVector(op: 'shl' | 'shr', a: Vector4, amount: number, dtype: DType): Vector4 {
  const name = op === 'shl' ? 'shl' : isUnsigned(dtype) ? 'shr_u' : 'shr_s'
  const bits = 8 * dtypes[dtype].bytes
  return wrapVector(
    a.map((part) => shapeOf(dtype)[name]!(part, amount & (bits - 1))),
    dtype,
  )
}

function compareVector(op: Comparison, a: Vector4, b: Vector4, dtype: DType): Vector4 | undefined {
  const ordered = (op === 'lt' || op === 'le') && !isFloat(dtype)
  const name = ordered ? `${op}_${isUnsigned(dtype) ? 'u' : 's'}` : op
  const masks = a.map((part, i) => shapeOf(dtype)[name]!(part, b[i]))
  return isWide(dtype) ? narrowMask(masks) : masks
}

/** Positions begin, begin + 1, … in four lanes of int32. */
export function countFrom(f: Writer['f'], begin: Value<'i32'>): Vector4 {
  const steps = [1, 2, 3].reduce<Single>(
    (steps, lane) => i32x4.replace_lane(steps, lane, lane),
    i32x4.const(0),
  )
  return [f.let(i32x4.add(i32x4.splat(begin), f.constant(steps)))]
}

/** Four float32 as four float64. */
export const promote = (x: Single): Vector4 => [
  f64x2.promote_low_f32x4(x),
  f64x2.promote_low_f32x4(v128.shuffle(x, x, [2, 3, 0, 1])),
]
/** Four float64 as four float32. */
export const demote = ([low, high]: Vector4): Vector4 => [
  v128.shuffle(f32x4.demote_f64x2_zero(low!), f32x4.demote_f64x2_zero(high!), [0, 1, 4, 5]),
]
