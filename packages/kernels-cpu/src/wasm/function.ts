// A function's body, written statement by statement: values are emitted where a statement takes them, control flow is a closure per block.
import { CodeBuffer } from './code.ts'
import { i32 } from './scalar.ts'
import {
  AssemblerError,
  type Operand,
  type ResultType,
  toValue,
  typeCode,
  type Value,
  type ValueType,
} from './value.ts'

/** A variable of one function; as a value it reads the variable at the moment it is emitted. */
export class Local<T extends ValueType = ValueType> implements Value<T> {
  readonly type: T
  readonly index: number
  readonly emit: (code: CodeBuffer) => void

  constructor(type: T, index: number, owner: CodeBuffer) {
    this.type = type
    this.index = index
    this.emit = (code) => {
      if (code !== owner) throw new AssemblerError(`local ${index} (${type}) belongs to another function`)
      code.byte(0x20)
      code.unsigned(index)
    }
  }
}

/** Parameters as locals. */
export type Locals<Params extends readonly ValueType[]> = {
  [I in keyof Params]: Local<Params[I]>
}

/** A place that `branch` jumps to: the end of a block, or the beginning of a loop. */
export interface Label {
  readonly depth: number
}

/** The constants and steps of a loop over a range. */
type Bound = Operand<'i32'>

/** Writes one function. Made by `ModuleBuilder.define`. */
export class FunctionBuilder<Result extends ResultType = ResultType> {
  readonly #result: Result
  readonly #params: number
  readonly #code = new CodeBuffer()
  readonly #prologue = new CodeBuffer()
  readonly #types: ValueType[] = []
  readonly #constants = new Map<string, Local>()
  #depth = 0

  constructor(params: number, result: Result) {
    this.#params = params
    this.#result = result
  }

  /** A new variable; zero at first. */
  local<T extends ValueType>(type: T): Local<T> {
    this.#types.push(type)
    return new Local(type, this.#types.length - 1, this.#code)
  }

  /** A new variable that holds `value`, computed here and now. */
  let<T extends ValueType>(value: Value<T>): Local<T> {
    const local = this.local(value.type)
    this.set(local, value)
    return local
  }

  /**
   * A variable that is set to `value`, a constant, once at the beginning of the function; the same for equal constants.
   * Engines make a `v128.const` anew at every use, which in a loop costs more than the arithmetic.
   */
  constant<T extends ValueType>(value: Value<T>): Local<T> {
    const code = new CodeBuffer()
    value.emit(code)
    const key = code.bytes.join()
    const known = this.#constants.get(key)
    if (known) return known as Local<T>
    const local = this.local(value.type)
    this.#constants.set(key, local)
    this.#prologue.append(code.bytes)
    this.#prologue.byte(0x21)
    this.#prologue.unsigned(local.index)
    return local
  }

  set<T extends ValueType>(local: Local<T>, value: Operand<T>): void {
    toValue(local.type, value, 'set').emit(this.#code)
    this.#code.byte(0x21)
    this.#code.unsigned(local.index)
  }

  /** Sets `local` and is its new value, within one expression. */
  tee<T extends ValueType>(local: Local<T>, value: Operand<T>): Value<T> {
    const taken = toValue(local.type, value, 'tee')
    return {
      type: local.type,
      emit(code) {
        taken.emit(code)
        code.byte(0x22)
        code.unsigned(local.index)
      },
    }
  }

  /** Executes stores, calls and the like, in order; results are dropped. */
  do(...values: readonly Value[]): void {
    for (const value of values) {
      value.emit(this.#code)
      if (value.type !== 'none') this.#code.byte(0x1a)
    }
  }

  /** Leaves the function with its result. */
  return(...value: Result extends ValueType ? [Operand<Result>] : []): void {
    this.#push(value[0])
    this.#code.byte(0x0f)
  }

  /** Traps when reached. */
  unreachable(): void {
    this.#code.byte(0x00)
  }

  /** Code that `branch(done)` leaves. */
  block(body: (done: Label) => void): void {
    this.#nest(0x02, body)
  }

  /** Code that `branch(again)` repeats; without a branch it runs once. */
  loop(body: (again: Label) => void): void {
    this.#nest(0x03, body)
  }

  if(condition: Operand<'i32'>, then: () => void, otherwise?: () => void): void {
    toValue('i32', condition, 'if').emit(this.#code)
    this.#nest(0x04, () => {
      then()
      if (!otherwise) return
      this.#code.byte(0x05)
      otherwise()
    })
  }

  /** Jumps to a label of a block or loop around this place, if `condition` holds (always, without one). */
  branch(label: Label, condition?: Operand<'i32'>): void {
    const distance = this.#depth - label.depth
    if (distance < 0) throw new AssemblerError('branch to a label that is not around this place')
    if (condition !== undefined) toValue('i32', condition, 'branch').emit(this.#code)
    this.#code.byte(condition === undefined ? 0x0c : 0x0d)
    this.#code.unsigned(distance)
  }

  /** Repeats `body` while `condition`, which is computed before each round, holds. */
  while(condition: Value<'i32'>, body: () => void): void {
    this.if(condition, () => {
      this.loop((again) => {
        body()
        this.branch(again, condition)
      })
    })
  }

  /**
   * Runs `body` for begin, begin + step, … below `end`, all unsigned. `end` and `step` are computed once.
   * The counter is a local of its own; `body` may read it.
   */
  forRange(begin: Bound, end: Bound, step: Bound, body: (index: Local<'i32'>) => void): void {
    const index = this.let(toValue('i32', begin, 'forRange'))
    const limit = typeof end === 'number' ? end : this.let(end)
    const stride = typeof step === 'number' ? step : this.let(step)
    const inRange = i32.lt_u(index, limit)
    const round = () => {
      this.loop((again) => {
        body(index)
        this.set(index, i32.add(index, stride))
        this.branch(again, inRange)
      })
    }
    if (typeof begin === 'number' && typeof end === 'number') {
      if (begin < end) round()
    } else this.if(inRange, round)
  }

  /**
   * Ends the function and answers its encoded body: locals, constants, code.
   * @internal
   */
  finish(value?: Operand<ValueType>): CodeBuffer {
    this.#push(value)
    this.#code.byte(0x0b)
    const body = new CodeBuffer()
    const runs = runLengths(this.#types.slice(this.#params))
    body.unsigned(runs.length)
    for (const [type, count] of runs) {
      body.unsigned(count)
      body.byte(typeCode[type])
    }
    body.appendCode(this.#prologue)
    body.appendCode(this.#code)
    return body
  }

  #push(value: Operand<ValueType> | undefined): void {
    if ((value === undefined) !== (this.#result === 'none'))
      throw new AssemblerError(
        `a function with result ${this.#result} ${value === undefined ? 'ends without' : 'has'} one`,
      )
    if (value !== undefined) toValue(this.#result as ValueType, value, 'return').emit(this.#code)
  }

  #nest(opcode: number, body: (label: Label) => void): void {
    this.#code.byte(opcode)
    this.#code.byte(0x40)
    this.#depth++
    body({ depth: this.#depth })
    this.#depth--
    this.#code.byte(0x0b)
  }
}

/** Makes the locals of a function's parameters and runs `write` on them. @internal */
export function writeFunction<const Params extends readonly ValueType[], Result extends ResultType>(
  params: Params,
  result: Result,
  write: FunctionBody<Params, Result>,
): CodeBuffer {
  const f = new FunctionBuilder(params.length, result)
  const locals = params.map((type) => f.local(type)) as unknown as Locals<Params>
  const value = write(f, ...locals)
  return f.finish(value === undefined ? undefined : (value as Operand<ValueType>))
}

/** Writes a body; answers the value that the function returns at its end. */
export type FunctionBody<Params extends readonly ValueType[], Result extends ResultType> = (
  f: FunctionBuilder<Result>,
  ...params: Locals<Params>
) => Result extends ValueType ? Operand<Result> : void

function runLengths(types: readonly ValueType[]): [ValueType, number][] {
  const runs: [ValueType, number][] = []
  for (const type of types) {
    const last = runs.at(-1)
    if (last?.[0] === type) last[1]++
    else runs.push([type, 1])
  }
  return runs
}
