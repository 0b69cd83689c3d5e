// The kernel IR: one loop nest with concrete sizes. A FusedKernel says what is computed, a Schedule how, a Lowering turns both into code.
import type { DType } from '../dtype.ts'
import type { Size } from '../shape.ts'
import type { Expr } from './expr.ts'

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

/** One fused loop nest. It runs over `axes`, the last `reduced` of which are combined; output elements are stored in row-major order of the others. */
export interface FusedKernel {
  /** What it came from, for traces and error messages. */
  readonly name: string
  readonly inputs: readonly KernelInput[]
  readonly output: { readonly dtype: DType; readonly length: number }
  /** Loop extents, outermost first; `E.axis(i)` counts axis i. */
  readonly axes: Size
  /** How many trailing axes are reduced; 0 without `reduce`. */
  readonly reduced: number
  /** The value at one point of the loop nest. */
  readonly body: Expr
  readonly reduce?: {
    readonly combine: Combine
    /** What is accumulated in; the value of an empty reduction is the neutral element in it. */
    readonly dtype: DType
    /** The stored value, of `E.acc` and of loads that use only the output axes. */
    readonly epilogue: Expr
  }
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
