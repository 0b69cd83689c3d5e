// Instructions are data: groups of (operand types, result type, names with opcodes), from which both the functions and their types are made.
import type { CodeBuffer } from './code.ts'
import {
  AssemblerError,
  type Operand,
  type Operands,
  type ResultType,
  toValue,
  type Value,
  type ValueType,
} from './value.ts'

/** What follows the opcode: an access to memory (`bytes` wide, at a constant offset), a lane number, or both. */
type Immediate = 'memory' | 'lane' | 'memoryLane'

/** Instructions of one signature. An opcode of two bytes is written 0xPP_NNNN: prefix byte, then number. */
export interface Group {
  readonly takes: readonly ValueType[]
  readonly gives: ResultType
  readonly immediate?: Immediate
  /** Bytes read or written by an access to memory; it need not be aligned to them (atomics must be). */
  readonly bytes?: number
  readonly opcodes: Readonly<Record<string, number>>
}

type Immediates<G extends Group> = G extends { immediate: 'memory' }
  ? [offset?: number]
  : G extends { immediate: 'lane' }
    ? [lane: number]
    : G extends { immediate: 'memoryLane' }
      ? [lane: number, offset?: number]
      : []

type Operation<G extends Group> = (
  ...operands: [...Operands<G['takes']>, ...Immediates<G>]
) => Value<G['gives']>

type NamesOf<G> = G extends Group ? keyof G['opcodes'] : never
type GroupOf<G, Name> = G extends Group ? (Name extends keyof G['opcodes'] ? G : never) : never

/** One function for each name of a table: operands and immediates in, value out. */
export type Instructions<Table extends readonly Group[]> = {
  readonly [Name in NamesOf<Table[number]>]: Operation<GroupOf<Table[number], Name>>
}

/** Makes the functions of a table. `prefix` is only for messages ('f32x4'). */
export function instructions<const Table extends readonly Group[]>(
  prefix: string,
  table: Table,
): Instructions<Table> {
  const made: Record<string, unknown> = {}
  for (const group of table)
    for (const [name, opcode] of Object.entries(group.opcodes))
      made[name] = operation(`${prefix}.${name}`, opcode, group)
  return made as Instructions<Table>
}

function operation(name: string, opcode: number, group: Group) {
  const { takes, gives } = group
  const immediate = immediates[group.immediate ?? 'none']
  const alignment = Math.log2(group.bytes ?? 1)
  return (...operands: readonly (Operand<ValueType> | undefined)[]): Value => {
    const values = takes.map((type, i) => toValue(type, operands[i] as Operand<typeof type>, name))
    const rest = operands.slice(takes.length) as readonly (number | undefined)[]
    for (const number of rest)
      if (number !== undefined && !(Number.isInteger(number) && number >= 0))
        throw new AssemblerError(`${name}: lane or offset ${number}`)
    return {
      type: gives,
      emit(code) {
        for (const value of values) value.emit(code)
        code.opcode(opcode)
        immediate(code, alignment, rest)
      },
    }
  }
}

type WriteImmediate = (code: CodeBuffer, alignment: number, rest: readonly (number | undefined)[]) => void

const immediates: Readonly<Record<Immediate | 'none', WriteImmediate>> = {
  none() {},
  lane(code, _, [lane = 0]) {
    code.byte(lane)
  },
  memory(code, alignment, [offset = 0]) {
    code.unsigned(alignment)
    code.unsigned(offset)
  },
  memoryLane(code, alignment, [lane = 0, offset = 0]) {
    code.unsigned(alignment)
    code.unsigned(offset)
    code.byte(lane)
  },
}
