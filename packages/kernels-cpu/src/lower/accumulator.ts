// What a reduction collects in: float32 sums in short blocks whose sums are added up in float64, everything else as it is.
import type { Combine, DType } from '@shoal/core'
import { neutral, neutralBigInt } from '@shoal/core'
import { f32, f64, type Local, type Value } from '../wasm/index.ts'
import { constant, type Scalar, type ScalarType, typeOf } from './representation.ts'
import { scalarArithmetic, type Writer } from './scalar.ts'
import { extract, isWide, promote, splat, type Vector4, vectorArithmetic } from './vector.ts'

/** Terms that are added in float32 before the sum goes to float64: the error of a block stays near that of one addition. */
export const blockTerms = 256

const operation = { sum: 'add', prod: 'mul', max: 'max', min: 'min' } as const

type Locals = readonly Local<'v128'>[]

/** The operations of one reduction. */
export interface Accumulation {
  /** Are blocks collected in float64? */
  readonly wide: boolean
  /** What totals are kept in. */
  readonly totalDType: DType
  /** A vector of neutral elements of the terms' dtype. */
  block(): Locals
  clear(block: Locals): void
  add(block: Locals, terms: Vector4): void
  /** A vector of neutral elements of the total's dtype. */
  total(): Locals
  /** Adds a block to the total. */
  collect(total: Locals, block: Vector4): void
  /** One number for the terms that are left over. */
  rest(): Local<ScalarType>
  addRest(rest: Local<ScalarType>, term: Scalar): void
  /** Adds a total to one number. */
  addPart(rest: Local<ScalarType>, part: Scalar): void
  /** All lanes of the total and the rest, as one total. */
  join(total: Locals, rest: Scalar): Scalar
  /** A total as a number of the terms' dtype. */
  narrow(total: Scalar): Scalar
}

/** How numbers of `dtype` are combined. */
export function accumulation(writer: Writer, combine: Combine, dtype: DType): Accumulation {
  const { f } = writer
  const wide = combine === 'sum' && dtype === 'float32'
  const totalDType: DType = wide ? 'float64' : dtype
  const op = operation[combine]
  const vector = vectorArithmetic(writer)
  const scalar = scalarArithmetic(writer)
  const start = (of: DType): Scalar =>
    constant(of === 'int64' ? neutralBigInt(combine) : neutral(combine, of), of)
  const set = (to: Locals, from: Vector4) => to.forEach((local, i) => f.set(local, from[i]!))
  const fresh = (of: DType): Locals => {
    const locals = (isWide(of) ? [0, 1] : [0]).map(() => f.local('v128'))
    set(
      locals,
      splat(start(of), of).map((part) => f.constant(part)),
    )
    return locals
  }
  return {
    wide,
    totalDType,
    block: () => fresh(dtype),
    clear: (block) =>
      set(
        block,
        splat(start(dtype), dtype).map((part) => f.constant(part)),
      ),
    add: (block, terms) => set(block, vector.binary[op](block, terms, dtype)),
    total: () => fresh(totalDType),
    collect: (total, block) =>
      set(
        total,
        vector.binary[op](total, wide ? promote(block[0]!).map((part) => f.let(part)) : block, totalDType),
      ),
    rest: () => {
      const local = f.local(typeOf(totalDType))
      f.set(local, start(totalDType) as never)
      return local
    },
    addRest: (rest, term) =>
      f.set(
        rest,
        scalar.binary[op](
          rest,
          wide ? f.let(f64.promote_f32(term as Value<'f32'>)) : term,
          totalDType,
        ) as never,
      ),
    addPart: (rest, part) => f.set(rest, scalar.binary[op](rest, part, totalDType) as never),
    join: (total, rest) => {
      const both = (a: Scalar, b: Scalar) => scalar.binary[op](a, b, totalDType)
      const lane = (i: number): Scalar => f.let(extract(total, i, totalDType))
      return both(both(both(lane(0), lane(2)), both(lane(1), lane(3))), rest)
    },
    narrow: (total) => (wide ? f.let(f32.demote_f64(total as Value<'f64'>)) : total),
  }
}
