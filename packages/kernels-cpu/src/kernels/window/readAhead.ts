// Reading a line of memory front to back before it is used column by column: the machine sees the order and fetches ahead, as it cannot later.
import { type FunctionBuilder, i32, type Local, select, type Value } from '../../wasm/index.ts'
import { type Axis, stepsOf } from './axis.ts'

/** Bytes of operands that stay in the second cache by themselves. */
const cachedBytes = 256 * 1024

/** Bytes that come from memory at once. */
export const cacheLine = 64

/** Reads `bytes` bytes from an address on, where the operand that they are part of is too large to be in the cache. */
export function readAhead(
  f: FunctionBuilder<'none'>,
  address: Local<'i32'>,
  bytes: number,
  operandBytes: number,
): void {
  if (operandBytes <= cachedBytes) return
  f.forRange(0, bytes, cacheLine, (offset) => f.do(i32.load(i32.add(address, offset))))
}

/** Reads those of the `count` lines that a target meets along an axis which the target before did not meet; `first` is the address of the first. */
export function readNewest(
  f: FunctionBuilder<'none'>,
  axis: Axis,
  first: Local<'i32'>,
  count: Value<'i32'>,
  bytes: number,
  operandBytes: number,
): void {
  if (operandBytes <= cachedBytes) return
  const { source: step } = stepsOf(axis)
  const fresh = axis.targets === 'windows' ? Math.ceil(axis.stride / axis.dilation) : 1
  const few = i32.lt_u(count, fresh)
  // Windows go upwards, and end with what is new; elements meet the latest window first.
  const begin = step > 0 ? select(few, i32.const(0), i32.sub(count, fresh)) : i32.const(0)
  const end = step > 0 ? count : select(few, count, i32.const(fresh))
  f.forRange(begin, end, 1, (i) =>
    readAhead(f, f.let(i32.add(first, i32.mul(i, step * bytes))), bytes, operandBytes),
  )
}
