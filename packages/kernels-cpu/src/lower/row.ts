// One run along the innermost loop: what does not change along it is computed before, loads and stores become a pointer and a stride, and the rest is said for four positions or for one.
import type { DType, Expr, FusedKernel, ScalarTarget } from '@shoal/core'
import { affine, dtypes, emit, operands, rangeOf } from '@shoal/core'
import { i32, i32x4, type Local, type Operand, select, v128, type Value } from '../wasm/index.ts'
import type { NumberedStore } from './passes.ts'
import { constant, loadScalar, type Scalar, storeScalar } from './representation.ts'
import { scalarArithmetic, type Writer } from './scalar.ts'
import { countFrom, extract, gather, splat, type Vector4, vectorArithmetic, width } from './vector.ts'
import { loadVector, storeVector } from './vectorMemory.ts'

type Load = Extract<Expr, { op: 'load' }>
type Index = Value<'i32'>

/** What a row is written into: addresses, and where the loops stand. */
export interface RowContext {
  readonly writer: Writer
  readonly kernel: FusedKernel
  readonly inputs: readonly Local<'i32'>[]
  readonly outputs: readonly Local<'i32'>[]
  /** The counter of each axis; the innermost one's is not used. */
  readonly counters: readonly Index[]
  /** The axis that the row runs along. */
  readonly inner: number
  /** Finished reductions that do not change along the row. */
  readonly finished?: readonly (Scalar | undefined)[]
}

/** Index = that at the beginning of the row + stride · position in the row. */
interface Walk {
  readonly pointer: Local<'i32'>
  readonly stride: number
}

/** Elements by which an index moves with each step along `inner`; undefined where that is not constant or leaves the `length` elements. */
export function strideOf(
  index: Expr,
  length: number,
  inner: number,
  kernel: FusedKernel,
): number | undefined {
  const { terms } = affine(index)
  const [low, high] = rangeOf(index, kernel.axes)
  if (low < 0 || high >= length) return undefined
  let stride = 0
  for (const [atom, coefficient] of terms) {
    if (atom.op === 'axis' && atom.axis === inner) stride += coefficient
    else if (varies(atom, inner, kernel)) return undefined
  }
  return stride
}

const known = new WeakMap<FusedKernel, Map<number, Map<Expr, boolean>>>()

/** Does an expression change along an axis? A finished reduction does along the kept ones. */
export function varies(e: Expr, axis: number, kernel: FusedKernel): boolean {
  if (e.op === 'const') return false
  if (e.op === 'acc') return axis < kernel.axes.length - kernel.reduced
  if (e.op === 'axis') return e.axis === axis
  let axes = known.get(kernel)
  if (!axes) known.set(kernel, (axes = new Map()))
  let answers = axes.get(axis)
  if (!answers) axes.set(axis, (answers = new Map()))
  let answer = answers.get(e)
  if (answer === undefined) {
    answer = operands(e).some((x) => varies(x, axis, kernel))
    answers.set(e, answer)
  }
  return answer
}

/** Writes expressions along one row. */
export class Row {
  readonly #context: RowContext
  readonly #uniform = new Map<Expr, Scalar>()
  readonly #splats = new Map<Expr, Vector4>()
  readonly #walks = new Map<Load, Walk>()
  readonly #stores: readonly (NumberedStore & Walk)[]

  /**
   * Computes here what does not change along the row.
   * @param roots what will be asked for besides the values of `stores`.
   * @param vector will it be asked for four positions at once?
   */
  constructor(
    context: RowContext,
    roots: readonly Expr[],
    stores: readonly NumberedStore[],
    vector: boolean,
  ) {
    this.#context = context
    const { kernel, inner } = context
    const { f } = context.writer
    const start = this.#scalarTarget(i32.const(0))
    const seen = new Set<Expr>()
    const atStart = new Map<Expr, Scalar>()
    const stack = [...stores.map(({ value }) => value), ...roots]
    for (let e = stack.pop(); e; e = stack.pop()) {
      if (seen.has(e) || e.op === 'const') continue
      seen.add(e)
      if (!varies(e, inner, kernel)) {
        const value = f.let(emit(e, start, atStart))
        this.#uniform.set(e, value)
        if (vector)
          this.#splats.set(
            e,
            splat(value, e.dtype).map((part) => f.let(part)),
          )
        continue
      }
      const stride =
        e.op === 'load' ? strideOf(e.index, kernel.inputs[e.input]!.length, inner, kernel) : undefined
      if (e.op === 'load' && stride !== undefined) {
        const index = emit(e.index, start, atStart) as Index
        const pointer = f.let(i32.add(context.inputs[e.input]!, i32.mul(index, this.#bytes(e))))
        this.#walks.set(e, { pointer, stride })
      } else stack.push(...operands(e))
    }
    this.#stores = stores.map((store) => {
      const index = emit(store.index, start, atStart) as Index
      const offset = i32.mul(index, dtypes[store.dtype].bytes)
      return {
        ...store,
        pointer: f.let(i32.add(context.outputs[store.output]!, offset)),
        stride: strideOf(store.index, store.length, inner, kernel) ?? 0,
      }
    })
  }

  /** The values of expressions at position `x`; with stores, those are done too. */
  scalars(roots: readonly Expr[], x: Index, finished?: readonly Scalar[]): Scalar[] {
    const { f } = this.#context.writer
    const memo = new Map(this.#uniform)
    for (const [load, { pointer, stride }] of this.#walks) {
      const address = i32.add(pointer, i32.mul(x, stride * this.#bytes(load)))
      memo.set(load, f.let(loadScalar(f, this.#dtype(load), address)))
    }
    const target = this.#scalarTarget(x, finished)
    const values = this.#stores.map(({ value }) => f.let(emit(value, target, memo)))
    const answers = roots.map((root) => emit(root, target, memo))
    this.#stores.forEach(({ dtype, pointer, stride }, i) => {
      const address = i32.add(pointer, i32.mul(x, stride * dtypes[dtype].bytes))
      f.do(storeScalar(f, dtype, address, values[i]!))
    })
    return answers
  }

  /** The values of expressions at positions x + ahead, …, x + ahead + 3; with stores, those are done too. */
  vectors(roots: readonly Expr[], x: Local<'i32'>, ahead = 0, finished?: readonly Vector4[]): Vector4[] {
    const { f } = this.#context.writer
    const memo = new Map(this.#splats)
    const along = (pointer: Local<'i32'>, step: number) => {
      const address = f.let(i32.add(pointer, i32.mul(x, step)))
      return (lane: number): [Operand<'i32'>, number] => {
        const offset = (ahead + lane) * step
        return offset < 0 ? [i32.add(address, offset), 0] : [address, offset]
      }
    }
    for (const [load, { pointer, stride }] of this.#walks) {
      const dtype = this.#dtype(load)
      const at = along(pointer, stride * this.#bytes(load))
      memo.set(
        load,
        stride === 1
          ? loadVector(f, dtype, ...at(0))
          : gather(this.#context.writer, load.dtype, (lane) => loadScalar(f, dtype, ...at(lane))),
      )
    }
    const target = this.#vectorTarget(x, ahead, finished)
    const values = this.#stores.map(({ value }) => emit(value, target, memo).map((part) => f.let(part)))
    const answers = roots.map((root) => emit(root, target, memo))
    this.#stores.forEach(({ dtype, pointer, stride, value: { dtype: computed } }, i) => {
      const at = along(pointer, stride * dtypes[dtype].bytes)
      if (stride === 1) {
        const [address, offset] = at(0)
        return storeVector(f, dtype, address, values[i]!, offset)
      }
      for (let lane = 0; lane < width; lane++) {
        const [address, offset] = at(lane)
        f.do(storeScalar(f, dtype, i32.add(address, offset), f.let(extract(values[i]!, lane, computed))))
      }
    })
    return answers
  }

  #dtype(load: Load): DType {
    return this.#context.kernel.inputs[load.input]!.dtype
  }
  #bytes(load: Load): number {
    return dtypes[this.#dtype(load)].bytes
  }

  #scalarTarget(x: Index, varying?: readonly Scalar[]): ScalarTarget<Scalar> {
    const { writer, counters, inner, kernel, inputs, finished = [] } = this.#context
    const { f } = writer
    return {
      ...scalarArithmetic(writer),
      axis: (axis) => (axis === inner ? x : counters[axis]!),
      load: (input, index, computed) => {
        const { dtype, length } = kernel.inputs[input]!
        if (length === 0) return constant(0, computed)
        const i = f.let(index as Index)
        const inside = select(i32.lt_u(i, length), i, i32.const(0))
        return f.let(loadScalar(f, dtype, i32.add(inputs[input]!, i32.mul(inside, dtypes[dtype].bytes))))
      },
      acc: (reduction) => (varying ?? finished)[reduction]!,
    }
  }

  #vectorTarget(x: Local<'i32'>, ahead: number, varying?: readonly Vector4[]): ScalarTarget<Vector4> {
    const { writer, counters, inner, kernel, inputs } = this.#context
    const { f } = writer
    const here = () => countFrom(f, i32.add(x, ahead))
    return {
      ...vectorArithmetic(writer),
      axis: (axis) => (axis === inner ? here() : splat(counters[axis]!, 'int32').map((part) => f.let(part))),
      load: (input, index, computed) => {
        const { dtype, length } = kernel.inputs[input]!
        if (length === 0) return splat(constant(0, computed), computed).map((part) => f.constant(part))
        const inside = f.let(v128.and(index[0]!, i32x4.lt_u(index[0]!, f.constant(i32x4.const(length)))))
        return gather(writer, computed, (lane) => {
          const i = extract([inside], lane, 'int32') as Index
          return loadScalar(f, dtype, i32.add(inputs[input]!, i32.mul(i, dtypes[dtype].bytes)))
        })
      },
      acc: (reduction) => varying![reduction]!,
    }
  }
}

/** Positions from `begin` to `end` in whole vectors, `unroll` of them a round, then what is left one by one. */
export function alongRow(
  { f }: Pick<Writer, 'f'>,
  begin: Index,
  end: Index,
  four: ((x: Local<'i32'>) => void) | undefined,
  one: (x: Local<'i32'>) => void,
): void {
  if (!four) return f.forRange(begin, end, 1, one)
  const whole = f.let(i32.add(begin, i32.and(i32.sub(end, begin), -width)))
  f.forRange(begin, whole, width, four)
  f.forRange(whole, end, 1, one)
}
