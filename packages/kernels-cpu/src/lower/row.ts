// One run along the innermost loop: what does not change along it is computed before, loads become a pointer and a stride, and the rest is said for four positions or for one.
import type { DType, Expr, ScalarTarget, SimpleKernel } from '@shoal/core'
import { affine, dtypes, emit, operands, rangeOf } from '@shoal/core'
import { i32, i32x4, type Local, type Operand, select, v128, type Value } from '../wasm/index.ts'
import { constant, loadScalar, type Scalar } from './representation.ts'
import { scalarArithmetic, type Writer } from './scalar.ts'
import { countFrom, extract, gather, splat, type Vector4, vectorArithmetic, width } from './vector.ts'
import { loadVector } from './vectorMemory.ts'

type Load = Extract<Expr, { op: 'load' }>
type Index = Value<'i32'>

/** What a row is written into: addresses of the inputs and where the loops stand. */
export interface RowContext {
  readonly writer: Writer
  readonly kernel: SimpleKernel
  readonly inputs: readonly Local<'i32'>[]
  /** The counter of each axis; the innermost one's is not used. */
  readonly counters: readonly Index[]
  /** The axis that the row runs along. */
  readonly inner: number
}

/** Index = that at the beginning of the row + stride · position in the row. */
interface Walk {
  readonly pointer: Local<'i32'>
  readonly stride: number
}

/** Elements by which a load moves with each step along `inner`; undefined where that is not constant or leaves the input. */
export function strideOf(load: Load, inner: number, kernel: SimpleKernel): number | undefined {
  const { terms } = affine(load.index)
  const [low, high] = rangeOf(load.index, kernel.axes)
  if (low < 0 || high >= kernel.inputs[load.input]!.length) return undefined
  let stride = 0
  for (const [atom, coefficient] of terms) {
    if (atom.op === 'axis' && atom.axis === inner) stride += coefficient
    else if (varies(atom, inner)) return undefined
  }
  return stride
}

const known = new WeakMap<Expr, Map<number, boolean>>()

/** Does an expression change along an axis? */
export function varies(e: Expr, axis: number): boolean {
  if (e.op === 'const' || e.op === 'acc') return e.op === 'acc'
  if (e.op === 'axis') return e.axis === axis
  let answers = known.get(e)
  if (!answers) known.set(e, (answers = new Map()))
  let answer = answers.get(axis)
  if (answer === undefined) {
    answer = operands(e).some((x) => varies(x, axis))
    answers.set(axis, answer)
  }
  return answer
}

/** Writes expressions along one row. */
export class Row {
  readonly #context: RowContext
  readonly #uniform = new Map<Expr, Scalar>()
  readonly #splats = new Map<Expr, Vector4>()
  readonly #walks = new Map<Load, Walk>()

  /** Computes here what does not change along the row. `vector`: will it be asked for four positions at once? */
  constructor(context: RowContext, roots: readonly Expr[], vector: boolean) {
    this.#context = context
    const { f } = context.writer
    const start = this.#scalarTarget(i32.const(0))
    const seen = new Set<Expr>()
    const atStart = new Map<Expr, Scalar>()
    const stack = [...roots]
    for (let e = stack.pop(); e; e = stack.pop()) {
      if (seen.has(e) || e.op === 'const' || e.op === 'acc') continue
      seen.add(e)
      if (!varies(e, context.inner)) {
        const value = f.let(emit(e, start, atStart))
        this.#uniform.set(e, value)
        if (vector)
          this.#splats.set(
            e,
            splat(value, e.dtype).map((part) => f.let(part)),
          )
        continue
      }
      const stride = e.op === 'load' ? strideOf(e, context.inner, context.kernel) : undefined
      if (e.op === 'load' && stride !== undefined) {
        const index = emit(e.index, start, atStart) as Index
        const pointer = f.let(i32.add(context.inputs[e.input]!, i32.mul(index, this.#bytes(e))))
        this.#walks.set(e, { pointer, stride })
      } else stack.push(...operands(e))
    }
  }

  /** The value of an expression at position `x`. */
  scalar(root: Expr, x: Index, accumulator?: Scalar): Scalar {
    const { f } = this.#context.writer
    const memo = new Map(this.#uniform)
    for (const [load, { pointer, stride }] of this.#walks) {
      const address = i32.add(pointer, i32.mul(x, stride * this.#bytes(load)))
      memo.set(load, f.let(loadScalar(f, this.#dtype(load), address)))
    }
    return emit(root, this.#scalarTarget(x, accumulator), memo)
  }

  /** The values of an expression at positions x + ahead, …, x + ahead + 3. */
  vector(root: Expr, x: Local<'i32'>, ahead = 0, accumulator?: Vector4): Vector4 {
    const { f } = this.#context.writer
    const memo = new Map(this.#splats)
    for (const [load, { pointer, stride }] of this.#walks) {
      const bytes = this.#bytes(load)
      const dtype = this.#dtype(load)
      const address = f.let(i32.add(pointer, i32.mul(x, stride * bytes)))
      const at = (lane: number): [Operand<'i32'>, number] => {
        const offset = (ahead + lane) * stride * bytes
        return offset < 0 ? [i32.add(address, offset), 0] : [address, offset]
      }
      memo.set(
        load,
        stride === 1
          ? loadVector(f, dtype, ...at(0))
          : gather(this.#context.writer, load.dtype, (lane) => loadScalar(f, dtype, ...at(lane))),
      )
    }
    return emit(root, this.#vectorTarget(x, ahead, accumulator), memo)
  }

  #dtype(load: Load): DType {
    return this.#context.kernel.inputs[load.input]!.dtype
  }
  #bytes(load: Load): number {
    return dtypes[this.#dtype(load)].bytes
  }

  #scalarTarget(x: Index, accumulator?: Scalar): ScalarTarget<Scalar> {
    const { writer, counters, inner, kernel, inputs } = this.#context
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
      acc: () => accumulator!,
    }
  }

  #vectorTarget(x: Local<'i32'>, ahead: number, accumulator?: Vector4): ScalarTarget<Vector4> {
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
      acc: () => accumulator!,
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
