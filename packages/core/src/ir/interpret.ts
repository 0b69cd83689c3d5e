// The meaning of a fused kernel: every element computed one operation after the other, as written.
import type { DType, TypedArray } from '../dtype.ts'
import { allocate, dtypes } from '../dtype.ts'
import { getElement, setElement } from '../ndarray.ts'
import type { Comparison, Expr, ScalarTarget, Unary, Binary } from './expr.ts'
import { binaryNames, comparisonNames, emit, fromNames, unaryNames } from './expr.ts'
import type { Combine, FusedKernel, KernelReduction, KernelStore } from './kernel.ts'
import { neutral, neutralBigInt, storesEverywhere } from './kernel.ts'
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
  readonly accumulators: Value[]
}
type Instruction = (registers: Value[], frame: Frame) => void

/** Runs a kernel on host arrays; the answers are new arrays, one an output. The definition that every lowering is compared with. */
export function interpretKernel(kernel: FusedKernel, inputs: readonly TypedArray[]): TypedArray[] {
  const outputs = kernel.stores.map(({ dtype, length }) => allocate(dtype, length) as TypedArray)
  prepareKernel(kernel)(inputs, outputs)
  return outputs
}

/** Prepares a kernel once, to be run on many arrays. */
export function prepareKernel(
  kernel: FusedKernel,
): (inputs: readonly TypedArray[], outputs: readonly TypedArray[]) => void {
  const { axes } = kernel
  const outer = axes.length - kernel.reduced
  const empty = axes.slice(outer).some((d) => d === 0)
  const reductions = kernel.reductions.map((reduction) => prepareReduction(reduction, kernel))
  const numbered = kernel.stores.map((store, output) => ({ ...store, output }))
  const everywhere = new Stores(
    numbered.filter((store) => storesEverywhere(kernel, store)),
    kernel,
  )
  const once = new Stores(
    numbered.filter((store) => !storesEverywhere(kernel, store)),
    kernel,
  )
  return (inputs, outputs) => {
    if (axes.slice(0, outer).some((d) => d === 0)) return
    const frame: Frame = { axes: new Int32Array(axes.length), inputs, accumulators: [] }
    const terms = (): boolean => advance(frame.axes, axes, outer)
    do {
      reductions.forEach(({ start, combine, finish, term }, i) => {
        let sum = start
        if (!empty)
          do sum = combine(sum, term.run(frame)[0]!)
          while (terms())
        frame.accumulators[i] = finish(sum)
      })
      if (!empty && everywhere.count > 0)
        do everywhere.run(frame, outputs)
        while (terms())
      once.run(frame, outputs)
    } while (advance(frame.axes, axes, 0, outer))
  }
}

function prepareReduction(
  { combine, dtype, term }: KernelReduction,
  kernel: FusedKernel,
): {
  readonly start: Value
  readonly combine: (a: Value, b: Value) => Value
  readonly finish: (sum: Value) => Value
  readonly term: Code
} {
  const round = dtype === 'int64' ? undefined : toDType(dtypes[dtype].compute)
  return {
    start: dtype === 'int64' ? neutralBigInt(combine) : neutral(combine, dtype),
    combine: combiner(combine, dtype),
    finish: (sum) => (round ? round(sum as number) : sum),
    term: new Code([term], kernel),
  }
}

/** Stores that happen together: all values are computed before the first is stored. */
class Stores {
  readonly count: number
  private readonly places: readonly (KernelStore & { readonly output: number })[]
  private readonly code: Code
  constructor(places: readonly (KernelStore & { readonly output: number })[], kernel: FusedKernel) {
    this.count = places.length
    this.places = places
    this.code = new Code(
      places.flatMap(({ index, value }) => [index, value]),
      kernel,
    )
  }
  run(frame: Frame, outputs: readonly TypedArray[]): void {
    const values = this.code.run(frame)
    this.places.forEach(({ dtype, output }, i) =>
      setElement(dtype, outputs[output]!, Number(values[2 * i]!), values[2 * i + 1]!),
    )
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

/** Expressions as a list of instructions over registers, one register for each distinct sub-expression. */
class Code {
  private readonly registers: Value[] = []
  private readonly instructions: Instruction[] = []
  private readonly results: readonly number[]
  private readonly values: Value[]
  constructor(roots: readonly Expr[], kernel: FusedKernel) {
    const [target, memo] = [this.target(kernel), new Map<Expr, number>()]
    this.results = roots.map((root) => emit(root, target, memo))
    this.values = roots.map(() => 0)
  }
  /** The values of the roots; the same array every time. */
  run(frame: Frame): readonly Value[] {
    for (const instruction of this.instructions) instruction(this.registers, frame)
    this.results.forEach((register, i) => (this.values[i] = this.registers[register]!))
    return this.values
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
      acc: (reduction) => this.add((to) => (r, frame) => (r[to] = frame.accumulators[reduction]!)),
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
