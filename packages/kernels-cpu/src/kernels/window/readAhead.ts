// Reading a line of memory front to back before it is used column by column: the machine sees the order and fetches ahead, as it cannot later.
import { type FunctionBuilder, i32, type Local } from '../../wasm/index.ts'

/** Bytes of operands that stay in the second cache by themselves. */
const cachedBytes = 256 * 1024

/** Bytes that come from memory at once. */
const cacheLine = 64

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
