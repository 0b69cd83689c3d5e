// Runs of bytes whose length is known when the code is written: short ones go through registers, long ones by one instruction.
import { type FunctionBuilder, i32, i64, type Local, memory, v128 } from '../wasm/index.ts'

/** `memory.copy` is a call into the engine, which costs more than moving so many bytes in place. */
const longest = 256

/** Copies `bytes` bytes. The two runs are the same or do not overlap. */
export function move(f: FunctionBuilder, to: Local<'i32'>, from: Local<'i32'>, bytes: number): void {
  if (bytes > longest) return f.do(memory.copy(to, from, bytes))
  let offset = 0
  for (; bytes - offset >= 16; offset += 16) f.do(v128.store(to, v128.load(from, offset), offset))
  // What is left of a longer run is moved with the bytes before it, once more.
  if (offset > 0 && offset < bytes) return f.do(v128.store(to, v128.load(from, bytes - 16), bytes - 16))
  for (; bytes - offset >= 8; offset += 8) f.do(i64.store(to, i64.load(from, offset), offset))
  for (; bytes - offset >= 4; offset += 4) f.do(i32.store(to, i32.load(from, offset), offset))
  for (; bytes - offset >= 2; offset += 2) f.do(i32.store16(to, i32.load16_u(from, offset), offset))
  for (; bytes - offset >= 1; offset += 1) f.do(i32.store8(to, i32.load8_u(from, offset), offset))
}
