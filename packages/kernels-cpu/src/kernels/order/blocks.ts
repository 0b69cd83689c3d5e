// Long lines are gone through by calls of a function for one block after the other, because an engine optimises functions between calls.
import { type FunctionBuilder, i32, type Local, select, type Value } from '../../wasm/index.ts'

const block = 2048

/** Runs `body` for the blocks of [0, size). */
export function inBlocks(
  f: FunctionBuilder,
  size: number,
  body: (begin: Local<'i32'>, end: Value<'i32'>) => void,
): void {
  f.forRange(0, size, block, (begin) => {
    const next = f.let(i32.add(begin, block))
    body(begin, select(i32.lt_u(next, size), next, i32.const(size)))
  })
}
