// Threefry-2x32 with 20 rounds: a keyed scramble of counters, so that random number i is computed from i alone, on every device the same.
// Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011.
import type { Expr } from '../../ir/expr.ts'
import { E } from '../../ir/expr.ts'

/** What the rounds need of 32-bit words, be they numbers or expressions. */
interface Words<W> {
  word(value: number): W
  add(a: W, b: W): W
  xor(a: W, b: W): W
  rotate(x: W, bits: number): W
}
type Pair<W> = readonly [W, W]

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const
const parity = 0x1bd11bda

function scramble<W>({ word, add, xor, rotate }: Words<W>, key: Pair<W>, counter: Pair<W>): Pair<W> {
  const schedule = [key[0], key[1], xor(xor(key[0], key[1]), word(parity))] as const
  let [a, b] = [add(counter[0], key[0]), add(counter[1], key[1])]
  for (let group = 0; group < 5; group++) {
    for (const bits of rotations[group % 2]!) {
      a = add(a, b)
      b = xor(rotate(b, bits), a)
    }
    a = add(a, schedule[(group + 1) % 3]!)
    b = add(b, add(schedule[(group + 2) % 3]!, word(group + 1)))
  }
  return [a, b]
}

const onNumbers: Words<number> = {
  word: (value) => value >>> 0,
  add: (a, b) => (a + b) >>> 0,
  xor: (a, b) => (a ^ b) >>> 0,
  rotate: (x, bits) => ((x << bits) | (x >>> (32 - bits))) >>> 0,
}
const uint = (value: number): Expr => E.num(value, 'uint32')
const onExpressions: Words<Expr> = {
  word: uint,
  add: E.add,
  xor: E.xor,
  rotate: (x, bits) => E.or(E.shl(x, uint(bits)), E.shr(x, uint(32 - bits))),
}

/** Two random words of a key and a counter, all unsigned 32-bit numbers. */
export const threefry = (key: Pair<number>, counter: Pair<number>): Pair<number> =>
  scramble(onNumbers, key, counter)
/** The same of uint32 expressions. */
export const threefryOf = (key: Pair<Expr>, counter: Pair<Expr>): Pair<Expr> =>
  scramble(onExpressions, key, counter)
