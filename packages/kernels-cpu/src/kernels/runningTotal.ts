// A total that runs along a line: load, join, store, and on to the next element; several lines take turns.
import type { Combine, DType } from '@shoal/core'
import { dtypes, neutral, neutralBigInt } from '@shoal/core'
import { type Code, isFloat } from '../lower/representation.ts'
import type { Arithmetic, Writer } from '../lower/scalar.ts'
import { type Func, i32, type Local, type ModuleBuilder } from '../wasm/index.ts'
import { type Elements, scalars, vectors } from './elements.ts'
import type { KernelOptions } from './kernelDef.ts'

/** How elements are joined. */
export type Combination = Combine | 'logSumExp'

/** What runs along every line. */
export interface Running {
  readonly options: KernelOptions
  readonly dtype: DType
  /** Elements of a line, and the distance from one to the next. */
  readonly size: number
  readonly step: number
  readonly combine: Combination
  /** Does an element's answer leave the element itself out? */
  readonly exclusive: boolean
  /** From the end to the beginning? */
  readonly reverse: boolean
}

/** Lines that run together: how many, how many bytes apart, and whether each is four neighbouring columns. */
export interface Bundle {
  readonly count: number
  readonly apart: number
  readonly vector: boolean
}

/** Runs along lines, of which the first begins at two addresses: in the input and in the answer. */
export type Lines = Func<readonly ['i32', 'i32'], 'none'>

/** Writes a function that runs along a bundle of lines. */
export function writeLines(module: ModuleBuilder, running: Running, bundle: Bundle): Lines {
  return module.define('cumulative_lines', ['i32', 'i32'], 'none', (f, from, to) => {
    const writer: Writer = { module, f, relaxed: running.options.relaxed }
    if (bundle.vector) run(f, running, bundle, from, to, vectors(writer))
    else run(f, running, bundle, from, to, scalars(writer))
  })
}

function run<V>(
  f: Code,
  { dtype, size, step, combine, exclusive, reverse }: Running,
  { count, apart }: Bundle,
  from: Local<'i32'>,
  to: Local<'i32'>,
  { arithmetic, load, store, variable }: Elements<V>,
): void {
  const { bytes, compute } = dtypes[dtype]
  const extreme = combine === 'max' || combine === 'min'
  const total: DType = isFloat(dtype) && !extreme ? 'float64' : compute
  const cast = (x: V, source: DType, target: DType): V =>
    source === target ? x : arithmetic.cast(x, source, target)
  const totals = Array.from({ length: count }, () =>
    variable(arithmetic.const(nothing(combine, total), total)),
  )
  const stride = step * bytes
  const offset = f.let(i32.const(reverse ? (size - 1) * stride : 0))
  f.forRange(0, size, 1, () => {
    totals.forEach((running, line) => {
      const at = (base: Local<'i32'>) => f.let(i32.add(i32.add(base, line * apart), offset))
      const x = cast(load(dtype, at(from)), compute, total)
      const answer = (value: V) => store(dtype, at(to), cast(value, total, dtype))
      if (exclusive) answer(running.value)
      running.set(join(arithmetic, combine, running.value, x, total))
      if (!exclusive) answer(running.value)
    })
    f.set(offset, i32.add(offset, reverse ? -stride : stride))
  })
}

const nothing = (combine: Combination, dtype: DType): number | bigint => {
  if (combine === 'logSumExp') return Number.NEGATIVE_INFINITY
  return dtype === 'int64' ? neutralBigInt(combine) : neutral(combine, dtype)
}

const joins = { sum: 'add', prod: 'mul', max: 'max', min: 'min' } as const

function join<V>(arithmetic: Arithmetic<V>, combine: Combination, total: V, x: V, dtype: DType): V {
  const { unary, binary, compare, select } = arithmetic
  if (combine !== 'logSumExp') return binary[joins[combine]](total, x, dtype)
  const high = binary.max(total, x, dtype)
  const part = (y: V) => unary.exp(binary.sub(y, high, dtype), dtype)
  const sum = binary.add(high, unary.log(binary.add(part(total), part(x), dtype), dtype), dtype)
  const infinite = compare.eq(
    unary.abs(high, dtype),
    arithmetic.const(Number.POSITIVE_INFINITY, dtype),
    dtype,
  )
  return select(infinite, high, sum, dtype)
}
