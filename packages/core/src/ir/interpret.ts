// The meaning of a fused kernel: every element computed one operation after the other, as written.
import type { DType, TypedArray } from '../dtype.ts'
import { allocate, dtypes } from '../dtype.ts'
import { getElement, setElement } from '../ndarray.ts'
import type { Comparison, Expr, ScalarTarget, Unary, Binary } from './expr.ts'
import { binaryNames, comparisonNames, emit, fromNames, unaryNames } from './expr.ts'
import type { Combine, FusedKernel } from './kernel.ts'
import { neutral, neutralBigInt } from './kernel.ts'
import {
  binaryFunction,
  castFunction,
  onBigInt,
  onNumber,
  toDType,
  unaryFunction,
} from './scalarFunctions.ts'

type Value = number | bigint
interface Frame {
  readonly axes: Int32Array
  readonly inputs: readonly TypedArray[]
  accumulator: Value
}
type Instruction = (registers: Value[], frame: Frame) => void

/** Runs a kernel on host arrays; the answer is a new array of the output's dtype. The definition that every lowering is compared with. */
export function interpretKernel(kernel: FusedKernel, inputs: readonly TypedArray[]): TypedArray {
  const output = allocate(kernel.output.dtype, kernel.output.length) as TypedArray
  prepareKernel(kernel)(inputs, output)
  return output
}

/** Prepares a kernel once, to be run on many arrays. */
export function prepareKernel(
  kernel: FusedKernel,
): (inputs: readonly TypedArray[], output: TypedArray) => void {
  const outer = kernel.axes.length - kernel.reduced
  const body = new Code(kernel.body, kernel)
  const { reduce } = kernel
  const epilogue = reduce && new Code(reduce.epilogue, kernel)
  const combine = reduce && combiner(reduce.combine, reduce.dtype)
  const start: Value = reduce
    ? reduce.dtype === 'int64'
      ? neutralBigInt(reduce.combine)
      : neutral(reduce.combine, reduce.dtype)
    : 0
  const finish = reduce && reduce.dtype !== 'int64' ? toDType(dtypes[reduce.dtype].compute) : undefined
  return (inputs, output) => {
    const frame: Frame = { axes: new Int32Array(kernel.axes.length), inputs, accumulator: start }
    for (let flat = 0; flat < kernel.output.length; flat++) {
      let value: Value
      if (combine && epilogue) {
        let sum = start
        if (kernel.axes.slice(outer).every((d) => d > 0))
          do sum = combine(sum, body.run(frame))
          while (advance(frame.axes, kernel.axes, outer))
        frame.accumulator = finish ? finish(sum as number) : sum
        value = epilogue.run(frame)
      } else value = body.run(frame)
      setElement(kernel.output.dtype, output, flat, value)
      advance(frame.axes, kernel.axes, 0, outer)
    }
  }
}

/** Steps the counters `from`…`to` like the digits of a number; false when they are all back at zero. */
function advance(counters: Int32Array, sizes: readonly number[], from: number, to = sizes.length): boolean {
  for (let axis = to - 1; axis >= from; axis--) {
    if (++counters[axis]! < sizes[axis]!) return true
    counters[axis] = 0
  }
  return false
}

/** Floats are accumulated in float64 and rounded once; integers wrap at every step. */
function combiner(combine: Combine, dtype: DType): (a: Value, b: Value) => Value {
  const op = ({ sum: 'add', prod: 'mul', max: 'max', min: 'min' } as const)[combine]
  if (dtype === 'int64') {
    const f = onBigInt.binary[op]
    return (a, b) => BigInt.asIntN(64, f(a as bigint, b as bigint))
  }
  const f = dtypes[dtype].kind === 'float' ? onNumber.binary[op] : binaryFunction(op, dtype)
  return (a, b) => f(a as number, b as number)
}

/** An expression as a list of instructions over registers, one register for each distinct sub-expression. */
class Code {
  private readonly registers: Value[] = []
  private readonly instructions: Instruction[] = []
  private readonly result: number
  constructor(expr: Expr, kernel: FusedKernel) {
    this.result = emit(expr, this.target(kernel))
  }
  run(frame: Frame): Value {
    for (const instruction of this.instructions) instruction(this.registers, frame)
    return this.registers[this.result]!
  }

  private add(instruction: (register: number) => Instruction): number {
    const register = this.registers.push(0) - 1
    this.instructions.push(instruction(register))
    return register
  }
  private target(kernel: FusedKernel): ScalarTarget<number> {
    const unary = (op: Unary) => (x: number, dtype: DType) => {
      const f =
        dtype === 'int64' ? wrapped(onBigInt.unary(op)) : (unaryFunction(op, dtype) as (x: Value) => Value)
      return this.add((to) => (r) => (r[to] = f(r[x]!)))
    }
    const binary = (op: Binary) => (a: number, b: number, dtype: DType) => {
      const f =
        dtype === 'int64'
          ? wrapped(onBigInt.binary[op])
          : (binaryFunction(op, dtype) as (a: Value, b: Value) => Value)
      return this.add((to) => (r) => (r[to] = f(r[a]!, r[b]!)))
    }
    const compare = (op: Comparison) => (a: number, b: number) => {
      const f = onNumber.compare[op] as (a: Value, b: Value) => boolean
      return this.add((to) => (r) => (r[to] = f(r[a]!, r[b]!) ? 1 : 0))
    }
    return {
      unary: fromNames(unaryNames, unary),
      binary: fromNames(binaryNames, binary),
      compare: fromNames(comparisonNames, compare),
      const: (value, dtype) =>
        this.registers.push(typeof value === 'bigint' ? value : toDType(dtype)(value)) - 1,
      axis: (axis) => this.add((to) => (r, frame) => (r[to] = frame.axes[axis]!)),
      load: (input, index) => {
        const { dtype } = kernel.inputs[input]!
        return this.add(
          (to) => (r, frame) => (r[to] = element(dtype, frame.inputs[input]!, r[index] as number)),
        )
      },
      cast: (x, from, to) => {
        const f = castFunction(from, to)
        return this.add((register) => (r) => (r[register] = f(r[x]!)))
      },
      select: (cond, a, b) => this.add((to) => (r) => (r[to] = r[cond] ? r[a]! : r[b]!)),
      acc: () => this.add((to) => (r, frame) => (r[to] = frame.accumulator)),
    }
  }
}

function element(dtype: DType, data: TypedArray, index: number): Value {
  // Only an empty input is ever read out of range, and then the value is not used.
  if (index >= data.length) return dtype === 'int64' ? 0n : 0
  const value = getElement(dtype, data, index)
  return typeof value === 'boolean' ? Number(value) : (value as Value)
}

const wrapped =
  (f: (...args: bigint[]) => bigint) =>
  (...args: Value[]): Value =>
    BigInt.asIntN(64, f(...(args as bigint[])))
