// What loops over neighbouring elements are written in: the same body for four elements at a time, and one by one for what is left.
import type { DType } from '@shoal/core'
import { dtypes } from '@shoal/core'
import { loadScalar, type Scalar, type ScalarType, storeScalar } from '../lower/representation.ts'
import { type Arithmetic, scalarArithmetic, type Writer } from '../lower/scalar.ts'
import { extract, splat, type Vector4, vectorArithmetic } from '../lower/vector.ts'
import { loadVector, storeVector } from '../lower/vectorMemory.ts'
import { i32, type Local } from '../wasm/index.ts'

/** Ways to compute with one element, or with four. Values are locals or constants. */
export interface Elements<V> {
  readonly arithmetic: Arithmetic<V>
  /** The elements of a dtype at an address; half precision is widened. */
  load(dtype: DType, address: Local<'i32'>): V
  store(dtype: DType, address: Local<'i32'>, value: V): void
  /** A number in every element. */
  splat(x: Scalar, dtype: DType): V
  /** A variable that holds a value. */
  variable(value: V): Variable<V>
}

interface Variable<V> {
  readonly value: V
  set(value: V): void
}

/** Elements one by one. */
export function scalars(writer: Writer): Elements<Scalar> {
  const { f } = writer
  return {
    arithmetic: scalarArithmetic(writer),
    load: (dtype, address) => f.let(loadScalar(f, dtype, address)),
    store: (dtype, address, value) => f.do(storeScalar(f, dtype, address, f.let<ScalarType>(value))),
    splat: (x) => x,
    variable(value) {
      const local = f.let<ScalarType>(value)
      return { value: local, set: (next) => f.set(local, next) }
    },
  }
}

/** Four elements at a time. */
export function vectors(writer: Writer): Elements<Vector4> {
  const { f } = writer
  return {
    arithmetic: vectorArithmetic(writer),
    load: (dtype, address) => loadVector(f, dtype, address),
    store: (dtype, address, value) => storeVector(f, dtype, address, value),
    splat: (x, dtype) => splat(x, dtype).map((part) => f.let(part)),
    variable(value) {
      const locals = value.map((part) => f.let(part))
      return { value: locals, set: (next) => locals.forEach((local, i) => f.set(local, next[i]!)) }
    },
  }
}

/** Runs `body` for elements 0, 1, … below `size`: four at a time, then what is left. */
export function alongElements(
  writer: Writer,
  size: number,
  body: <V>(elements: Elements<V>, i: Local<'i32'>) => void,
): void {
  const whole = size - (size % 4)
  const [four, one] = [vectors(writer), scalars(writer)]
  writer.f.forRange(0, whole, 4, (i) => body(four, i))
  writer.f.forRange(whole, size, 1, (i) => body(one, i))
}

/** The address of element `i` of a row. */
export const elementAt = (writer: Writer, dtype: DType, row: Local<'i32'>, i: Local<'i32'>): Local<'i32'> =>
  writer.f.let(i32.add(row, i32.mul(i, dtypes[dtype].bytes)))

/** Joins what `body` answers, in `dtype`, for all of `size` elements: in four parts that are joined in the end. `nothing` joined with x must be x. */
export function reduceElements(
  writer: Writer,
  { size, dtype, nothing, join }: { size: number; dtype: DType; nothing: number; join: 'add' | 'max' },
  body: <V>(elements: Elements<V>, i: Local<'i32'>) => V,
): Scalar {
  const whole = size - (size % 4)
  const [four, one] = [vectors(writer), scalars(writer)]
  const parts = four.variable(four.arithmetic.const(nothing, dtype))
  const total = one.variable(one.arithmetic.const(nothing, dtype))
  const add = (x: Scalar): void => total.set(one.arithmetic.binary[join](total.value, x, dtype))
  writer.f.forRange(0, whole, 4, (i) =>
    parts.set(four.arithmetic.binary[join](parts.value, body(four, i), dtype)),
  )
  if (whole > 0)
    for (let lane = 0; lane < 4; lane++) add(writer.f.let<ScalarType>(extract(parts.value, lane, dtype)))
  writer.f.forRange(whole, size, 1, (i) => add(body(one, i)))
  return total.value
}
