// Instructions on the memory as a whole, and the atomics by which threads meet.
import { type Instructions, instructions } from './instructions.ts'
import { type Operand, toValue, type Value } from './value.ts'

/** Copies `bytes` bytes; the regions may overlap. */
function copy(to: Operand<'i32'>, from: Operand<'i32'>, bytes: Operand<'i32'>): Value<'none'> {
  return bulk('memory.copy', [to, from, bytes], [0xfc, 0x0a, 0, 0])
}

/** Sets `bytes` bytes to the low 8 bits of `value`. */
function fill(to: Operand<'i32'>, value: Operand<'i32'>, bytes: Operand<'i32'>): Value<'none'> {
  return bulk('memory.fill', [to, value, bytes], [0xfc, 0x0b, 0])
}

function bulk(name: string, operands: readonly Operand<'i32'>[], encoding: readonly number[]): Value<'none'> {
  const values = operands.map((operand) => toValue('i32', operand, name))
  return {
    type: 'none',
    emit(code) {
      for (const value of values) value.emit(code)
      code.append(encoding)
    },
  }
}

/** Instructions on regions of the module's one memory. */
export const memory: { readonly copy: typeof copy; readonly fill: typeof fill } = { copy, fill }

// biome-ignore format: rows of opcodes read as a table
const atomicTable = [
  // address, expected value, timeout in ns (negative: for ever) → 0 woken, 1 not equal, 2 timed out; traps where waiting is not allowed
  { takes: ['i32', 'i32', 'i64'], gives: 'i32', immediate: 'memory', bytes: 4, opcodes: { wait32: 0xfe_0001 } },
  // address, most threads to wake → threads woken
  { takes: ['i32', 'i32'], gives: 'i32', immediate: 'memory', bytes: 4, opcodes: { notify: 0xfe_0000 } },
  { takes: ['i32'], gives: 'i32', immediate: 'memory', bytes: 4, opcodes: { i32_load: 0xfe_0010 } },
  { takes: ['i32', 'i32'], gives: 'none', immediate: 'memory', bytes: 4, opcodes: { i32_store: 0xfe_0017 } },
  {
    takes: ['i32', 'i32'],
    gives: 'i32',
    immediate: 'memory',
    bytes: 4,
    opcodes: { i32_add: 0xfe_001e, i32_sub: 0xfe_0025, i32_and: 0xfe_002c, i32_or: 0xfe_0033, i32_xor: 0xfe_003a, i32_exchange: 0xfe_0041 },
  },
  // address, expected, replacement → value before
  { takes: ['i32', 'i32', 'i32'], gives: 'i32', immediate: 'memory', bytes: 4, opcodes: { i32_compare_exchange: 0xfe_0048 } },
  { takes: ['i32'], gives: 'i64', immediate: 'memory', bytes: 8, opcodes: { i64_load: 0xfe_0011 } },
  { takes: ['i32', 'i64'], gives: 'none', immediate: 'memory', bytes: 8, opcodes: { i64_store: 0xfe_0018 } },
  { takes: ['i32', 'i64'], gives: 'i64', immediate: 'memory', bytes: 8, opcodes: { i64_add: 0xfe_001f } },
] as const

/** Sequentially consistent accesses; addresses must be aligned. Read-modify-writes answer the value before. */
export const atomic: Instructions<typeof atomicTable> = instructions('atomic', atomicTable)
