// The kernel IR: one loop nest with concrete sizes. A FusedKernel says what is computed, a Schedule how, a Lowering turns both into code.
import type { DType } from '../dtype.ts'
import { dtypes } from '../dtype.ts'
import type { Size } from '../shape.ts'
import type { Expr } from './expr.ts'
import { E, someExpr, subexpressions } from './expr.ts'
import { flatIndex } from './view.ts'

/** How a reduction joins two values: numerically, or logically for bool (`max` is any, `min` is all). */
export type Combine = 'sum' | 'prod' | 'max' | 'min'

/** Where an output element of a view is read: an index per axis of the input, int32. */
export interface IndexMap {
  readonly index: readonly Expr[]
  /** Where false, the element is `fill` and nothing is read. */
  readonly valid?: Expr
  /** Default 0. */
  readonly fill?: number
}

/**
 * One fused loop nest over `axes`. For every point of the kept axes, the leading ones: each reduction in turn runs over the reduced axes;
 * then each store that uses those runs over them, and at last each store that does not happens once.
 * Output i is what store i writes. Whatever a point stores is computed before any of it is stored, so that an output may be
 * the memory of an input that is only read at the element which is stored: see `mayShare`.
 */
export interface FusedKernel {
  /** What it came from, for traces and error messages. */
  readonly name: string
  readonly inputs: readonly KernelInput[]
  /** Loop extents, outermost first; `E.axis(i)` counts axis i. */
  readonly axes: Size
  /** How many trailing axes are reduced; 0 without reductions. */
  readonly reduced: number
  readonly reductions: readonly KernelReduction[]
  readonly stores: readonly KernelStore[]
}

/** A value combined over the reduced axes, for every point of the kept ones. `E.acc(i)` is reduction i, finished. */
export interface KernelReduction {
  readonly combine: Combine
  /** What is accumulated in; the value over nothing is the neutral element in it. */
  readonly dtype: DType
  /** One of the values that are combined. It may use reductions before this one. */
  readonly term: Expr
}

/** What becomes an output. */
export interface KernelStore {
  readonly dtype: DType
  /** Elements of the output. Each is stored exactly once. */
  readonly length: number
  /** The element, flat, int32: a sum of multiples of loop counters. Without counters of reduced axes it is stored once for each point of the kept ones. */
  readonly index: Expr
  readonly value: Expr
}

/** A buffer that a kernel reads: its storage dtype and number of elements. */
export interface KernelInput {
  readonly dtype: DType
  readonly length: number
}

/** How to run a kernel on one target: plain data, so it can be printed, tested, searched and cached. */
export interface Schedule {
  /** Elements computed at once by vector instructions; 1 is scalar code. */
  readonly vector: number
  readonly unroll: number
  readonly tile?: Size
  /** Invocations per workgroup, on GPUs. */
  readonly group?: number
}

/** kernels-cpu answers WASM bytes, kernels-webgpu WGSL text, the reference a closure. */
export interface Lowering<Code> {
  schedule(kernel: FusedKernel): Schedule
  lower(kernel: FusedKernel, schedule: Schedule): Code
}

/** The value of a reduction over nothing. */
export function neutral(combine: Combine, dtype: DType): number {
  if (combine === 'sum') return 0
  if (combine === 'prod') return 1
  const low = lowest[dtype]
  return combine === 'max' ? low[0] : low[1]
}

// The least and the greatest value of each dtype; int64's are exact as numbers, being powers of two (2^63 wraps to the greatest when stored, see neutralBigInt).
const lowest: Readonly<Record<DType, readonly [number, number]>> = {
  float32: [-Infinity, Infinity],
  float64: [-Infinity, Infinity],
  float16: [-Infinity, Infinity],
  bfloat16: [-Infinity, Infinity],
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  int32: [-2147483648, 2147483647],
  int64: [-(2 ** 63), 2 ** 63],
  uint32: [0, 4294967295],
  bool: [0, 1],
  string: [0, 0],
}

/** `neutral` for int64. */
export const neutralBigInt = (combine: Combine): bigint =>
  combine === 'sum' ? 0n : combine === 'prod' ? 1n : combine === 'max' ? -(2n ** 63n) : 2n ** 63n - 1n

/** Does a store happen at every point of all axes, not only once for each point of the kept ones? */
export function storesEverywhere(
  { axes, reduced }: Pick<FusedKernel, 'axes' | 'reduced'>,
  { index }: KernelStore,
): boolean {
  return someExpr(index, (e) => e.op === 'axis' && e.axis >= axes.length - reduced)
}

/** A kernel of one output, whose elements stand in the order of the kept axes. */
export interface SimpleKernel extends Pick<FusedKernel, 'name' | 'inputs' | 'axes' | 'reduced'> {
  readonly output: KernelInput
  /** The value at one point of the loop nest. */
  readonly body: Expr
  /** How the values of the reduced axes become one: `epilogue` is what is stored, of `E.acc(0)`. */
  readonly reduce?: Pick<KernelReduction, 'combine' | 'dtype'> & { readonly epilogue: Expr }
}

/** Says a kernel of one output in full. */
export function simpleKernel({
  name,
  inputs,
  axes,
  reduced,
  output,
  body,
  reduce,
}: SimpleKernel): FusedKernel {
  const kept = axes.slice(0, axes.length - reduced)
  const index = flatIndex(
    kept.map((_, axis) => E.axis(axis)),
    kept,
  )
  return {
    name,
    inputs,
    axes,
    reduced,
    reductions: reduce ? [{ combine: reduce.combine, dtype: reduce.dtype, term: body }] : [],
    stores: [{ ...output, index, value: reduce ? reduce.epilogue : body }],
  }
}

/**
 * May an output be the memory of an input? It may where the input is only ever read at the very element that is being stored.
 * The kernel must be simplified: equal indices are the same object.
 */
export function mayShare(kernel: FusedKernel, input: number, output: number): boolean {
  const [from, to] = [kernel.inputs[input]!, kernel.stores[output]!]
  if (dtypes[from.dtype].bytes !== dtypes[to.dtype].bytes || from.length !== to.length) return false
  return readIndices(kernel)[input]!.every((index) => index === to.index)
}

const indices = new WeakMap<FusedKernel, readonly (readonly Expr[])[]>()

/** At which indices each input is read. */
function readIndices(kernel: FusedKernel): readonly (readonly Expr[])[] {
  const known = indices.get(kernel)
  if (known) return known
  const found: Expr[][] = kernel.inputs.map(() => [])
  const roots = [...kernel.reductions.map(({ term }) => term), ...kernel.stores.map(({ value }) => value)]
  for (const e of subexpressions(...roots)) if (e.op === 'load') found[e.input]!.push(e.index)
  indices.set(kernel, found)
  return found
}
