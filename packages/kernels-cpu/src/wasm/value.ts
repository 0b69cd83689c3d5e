// A value is code that pushes one number when it is emitted: expressions are trees of values, and nothing is written before a statement takes them.
import type { CodeBuffer } from './code.ts'

/** The types that WebAssembly computes with. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'

/** What an instruction or function leaves on the stack. */
export type ResultType = ValueType | 'none'

/**
 * Code that leaves a `T` on the stack. Emitting it twice computes it twice:
 * what is used more than once belongs in a local (`f.let`).
 */
export interface Value<T extends ResultType = ResultType> {
  readonly type: T
  readonly emit: (code: CodeBuffer) => void
}

/** What stands for a `T` in an expression: a value, or a literal of its type. */
export type Operand<T extends ValueType> =
  | Value<T>
  | (T extends 'i32' | 'f32' | 'f64' ? number : T extends 'i64' ? bigint : never)

/** Operands for a list of types. */
export type Operands<Types extends readonly ValueType[]> = {
  [I in keyof Types]: Operand<Types[I]>
}

/** Wrong use of the assembler: a fault of the code generator, found while it emits. */
export class AssemblerError extends Error {
  override readonly name = 'AssemblerError'
}

/** The byte that names a type in the binary format. */
export const typeCode: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
}

/** Makes a literal a constant, and checks the type of anything else; `where` names the user of the operand. */
export function toValue<T extends ValueType>(type: T, operand: Operand<T>, where: string): Value<T> {
  if (typeof operand === 'number' || typeof operand === 'bigint') return literal(type, operand)
  if (operand.type !== type) throw new AssemblerError(`${where} takes ${type}, not ${operand.type}`)
  return operand
}

/** A constant instruction of a scalar type. */
export function literal<T extends ValueType>(type: T, value: number | bigint): Value<T> {
  switch (type) {
    case 'i32':
      return constant(type, 0x41, (code) => code.signed(Number(value)))
    case 'i64':
      return constant(type, 0x42, (code) => code.signed64(BigInt(value)))
    case 'f32':
      return constant(type, 0x43, (code) => code.float32(Number(value)))
    case 'f64':
      return constant(type, 0x44, (code) => code.float64(Number(value)))
    default:
      throw new AssemblerError(`${type} has no literals: use f32x4.const and the like`)
  }
}

function constant<T extends ValueType>(
  type: T,
  opcode: number,
  immediate: (code: CodeBuffer) => void,
): Value<T> {
  return {
    type,
    emit(code) {
      code.byte(opcode)
      immediate(code)
    },
  }
}

/** `condition ? a : b` without a branch: both sides are computed. Types of `a` and `b` must agree. */
export function select<T extends ValueType>(condition: Operand<'i32'>, a: Value<T>, b: Value<T>): Value<T> {
  const chosen = toValue('i32', condition, 'select')
  if (a.type !== b.type) throw new AssemblerError(`select between ${a.type} and ${b.type}`)
  return {
    type: a.type,
    emit(code) {
      a.emit(code)
      b.emit(code)
      chosen.emit(code)
      // Only the form that names its type accepts v128.
      code.byte(0x1c)
      code.unsigned(1)
      code.byte(typeCode[a.type])
    },
  }
}

/** A function of a module, imported or defined: what `call` refers to. */
export interface Func<
  Params extends readonly ValueType[] = readonly ValueType[],
  Result extends ResultType = ResultType,
> {
  readonly name: string
  readonly params: Params
  readonly result: Result
}

/** The result of calling a function of the same module. */
export function call<const Params extends readonly ValueType[], Result extends ResultType>(
  target: Func<Params, Result>,
  ...operands: Operands<Params>
): Value<Result> {
  const { name, params, result } = target
  if (operands.length !== params.length)
    throw new AssemblerError(`${name} takes ${params.length} operands, not ${operands.length}`)
  const values = params.map((type, i) => toValue(type, operands[i] as Operand<typeof type>, name))
  return {
    type: result,
    emit(code) {
      for (const value of values) value.emit(code)
      code.byte(0x10)
      code.reference(target)
    },
  }
}
