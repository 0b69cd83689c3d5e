// Lengths cut into blocks, and loops over them: the whole blocks in a loop, the shorter one at the end as code of its own, for its size is a constant.
import { type FunctionBuilder, i32, type Local, type Operand, select, type Value } from '../wasm/index.ts'

/** A length cut into equal blocks and a shorter one at the end. */
export interface Blocks {
  readonly size: number
  /** Whole blocks. */
  readonly whole: number
  /** Length of the last block, 0 when there is none. */
  readonly tail: number
  /** All blocks. */
  readonly count: number
}

/** Cuts `length` into blocks of `size`. */
export function blocks(length: number, size: number): Blocks {
  const tail = length % size
  const whole = (length - tail) / size
  return { size, whole, tail, count: whole + (tail > 0 ? 1 : 0) }
}

/** Cuts `length` into blocks of about equal size, a multiple of `step`, none longer than `most` rounded up. */
export function evenBlocks(length: number, most: number, step: number): Blocks {
  const count = Math.max(1, Math.ceil(length / most))
  return blocks(length, Math.max(step, Math.ceil(length / count / step) * step))
}

export type Index = Local<'i32'>

/** base + count · bytes */
export const at = (base: Operand<'i32'>, count: Operand<'i32'>, bytes: number): Value<'i32'> =>
  typeof count === 'number' ? i32.add(base, count * bytes) : i32.add(base, i32.mul(count, bytes))

/** The smaller one. `a` is emitted twice: give a local. */
export const least = (a: Index, b: Operand<'i32'>): Value<'i32'> =>
  select(i32.lt_u(a, b), a, typeof b === 'number' ? i32.const(b) : b)

/** Runs `body` for every block. */
export function forAll(
  f: FunctionBuilder<'none'>,
  cut: Blocks,
  body: (index: Operand<'i32'>, size: number) => void,
): void {
  f.forRange(0, cut.whole, 1, (index) => body(index, cut.size))
  if (cut.tail > 0) body(cut.whole, cut.tail)
}

/** Runs `body` for the blocks in [begin, end). */
export function forShare(
  f: FunctionBuilder<'none'>,
  cut: Blocks,
  begin: Index,
  end: Index,
  body: (index: Operand<'i32'>, size: number) => void,
): void {
  if (cut.whole > 0) f.forRange(begin, f.let(least(end, cut.whole)), 1, (index) => body(index, cut.size))
  if (cut.tail > 0)
    f.if(i32.and(i32.le_u(begin, cut.whole), i32.gt_u(end, cut.whole)), () => body(cut.whole, cut.tail))
}
