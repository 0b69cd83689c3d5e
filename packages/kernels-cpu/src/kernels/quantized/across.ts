// The way from sums in lanes to sums of lanes.
import type { FunctionBuilder, Local, Operand, Value } from '../../wasm/index.ts'
import { i32x4, v128 } from '../../wasm/index.ts'

/** The sums of the four lanes of up to four vectors, side by side; of missing ones 0. `add` adds two vectors lane by lane. */
export function across(
  f: FunctionBuilder<'none'>,
  vectors: readonly Local<'v128'>[],
  add: (a: Operand<'v128'>, b: Operand<'v128'>) => Value<'v128'>,
): Value<'v128'> {
  const none = f.constant(i32x4.const(0))
  const pairs = (a: Value<'v128'>, b: Value<'v128'>) =>
    f.let(add(v128.shuffle(a, b, [0, 4, 1, 5]), v128.shuffle(a, b, [2, 6, 3, 7])))
  const [a = none, b = none, c = none, d = none] = vectors
  const left = pairs(a, b)
  const right = vectors.length > 2 ? pairs(c, d) : none
  return add(v128.shuffle(left, right, [0, 1, 4, 5]), v128.shuffle(left, right, [2, 3, 6, 7]))
}
