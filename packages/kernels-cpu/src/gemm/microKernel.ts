// The innermost product: one register block of C += A · B over a run of k, with every stride a constant of the code.
import { type Func, type FunctionBuilder, i32, type Local, type ModuleBuilder } from '../wasm/index.ts'
import { type Element, float32, float64 } from './element.ts'

/** A block product. Strides are in bytes. */
export interface MicroKernelSpec {
  readonly element: 'f32' | 'f64'
  readonly rows: number
  /** Columns of C; the last vector may be part. */
  readonly columns: number
  /** Length of a run of k. */
  readonly k: number
  /** From A[i][k] to A[i + 1][k], and to A[i][k + 1]. */
  readonly aRow: number
  readonly aK: number
  /** From B[k][j] to B[k + 1][j]; columns of B are adjacent. */
  readonly bK: number
  /** B has whole vectors (zeros or anything) in its last columns, so that it may be read beyond `columns`. */
  readonly bPadded: boolean
  readonly cRow: number
  /**
   * Runs of k, 1 by default: after each, A moves on by `aSegment` bytes from where the run began; B goes on where it is.
   * A convolution has one run per kernel row.
   */
  readonly segments?: number
  readonly aSegment?: number
  /** Use fused multiply-add. */
  readonly relaxed: boolean
  /** Steps of k per round of the loop. Default 8. */
  readonly unroll?: number
}

/** Parameters: addresses of A, B and C, and whether to add to C (not 0) or to overwrite it. */
export type MicroKernel = Func<readonly ['i32', 'i32', 'i32', 'i32'], 'none'>

/** The element types by name. */
export const elements: Readonly<Record<'f32' | 'f64', Element>> = { f32: float32, f64: float64 }

/**
 * The function for a block product; the same one for an equal spec. It is small and called once per block on purpose:
 * engines optimise functions that are called often, not loops that run long.
 */
export function microKernel(module: ModuleBuilder, spec: MicroKernelSpec): MicroKernel {
  return module.once(`microKernel ${JSON.stringify(spec)}`, () =>
    module.define(
      `block_${spec.rows}x${spec.columns}x${spec.k}`,
      ['i32', 'i32', 'i32', 'i32'],
      'none',
      (f, a, b, c, add) => writeBlock(f, spec, a, b, c, add),
    ),
  )
}

function writeBlock(
  f: FunctionBuilder<'none'>,
  spec: MicroKernelSpec,
  a: Local<'i32'>,
  b: Local<'i32'>,
  c: Local<'i32'>,
  add: Local<'i32'>,
): void {
  const { rows, columns, k, aRow, aK, bK, relaxed, segments = 1, aSegment = 0, unroll = 8 } = spec
  const element = elements[spec.element]
  const { lanes, bytes } = element
  const vectors = Math.ceil(columns / lanes)
  // A last vector that B does not fill is taken a little earlier, where there are columns before it: those are computed twice, to the same bits.
  const early = !spec.bPadded && columns > lanes
  const widthOf = (v: number) => (early ? lanes : Math.min(lanes, columns - v * lanes))
  const offsetOf = (v: number) => (early ? Math.min(v * lanes, columns - lanes) : v * lanes) * bytes
  const locals = (count: number) => Array.from({ length: count }, () => f.local('v128'))
  const sums = Array.from({ length: rows }, () => locals(vectors))
  const line = locals(vectors)
  const broadcast = f.local('v128')

  // One sum for each element, in the order of k: so its bits do not depend on the block that it is computed in.
  const step = (u: number) => {
    line.forEach((vector, v) => {
      f.set(vector, element.load(b, spec.bPadded ? lanes : widthOf(v), u * bK + offsetOf(v)))
    })
    sums.forEach((row, i) => {
      f.set(broadcast, element.loadSplat(a, i * aRow + u * aK))
      row.forEach((sum, v) => {
        f.set(sum, element.multiplyAdd(broadcast, line[v] as Local<'v128'>, sum, relaxed))
      })
    })
  }
  const steps = (count: number) => {
    for (let u = 0; u < count; u++) step(u)
  }
  const run = () => {
    const rounds = Math.floor(k / unroll)
    f.forRange(0, rounds, 1, () => {
      steps(unroll)
      f.set(a, i32.add(a, unroll * aK))
      f.set(b, i32.add(b, unroll * bK))
    })
    steps(k % unroll)
  }
  if (segments === 1) run()
  else
    f.forRange(0, segments, 1, () => {
      run()
      const done = Math.floor(k / unroll) * unroll
      f.set(a, i32.add(a, aSegment - done * aK))
      f.set(b, i32.add(b, (k - done) * bK))
    })

  const each = (visit: (sum: Local<'v128'>, i: number, v: number) => void) => {
    sums.forEach((row, i) => {
      row.forEach((sum, v) => visit(sum, i, v))
    })
  }
  const place = (i: number, v: number) => i * spec.cRow + offsetOf(v)
  // All of C is read before any of it is written, as vectors may share columns.
  f.if(add, () => each((sum, i, v) => f.set(sum, element.add(element.load(c, widthOf(v), place(i, v)), sum))))
  each((sum, i, v) => f.do(...element.store(c, sum, widthOf(v), place(i, v))))
}
