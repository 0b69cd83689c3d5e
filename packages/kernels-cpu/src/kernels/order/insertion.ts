// The first few of an order, found in one pass: a short ordered list of records, into which what is before its last is inserted.
import { call, type Func, i32, type ModuleBuilder } from '../../wasm/index.ts'
import { move } from '../move.ts'
import type { Records } from './record.ts'
import { inBlocks } from './blocks.ts'

/** Finds the first records of a line: its address, and that of a list of `k` records. */
export type Insertion = Func<readonly ['i32', 'i32'], 'none'>

/** Writes a function that finds the first `k` of `size` elements of `elementBytes` bytes, 1 ≤ k ≤ size. */
export function writeInsertion(
  module: ModuleBuilder,
  records: Records,
  size: number,
  k: number,
  elementBytes: number,
): Insertion {
  const { bytes, rankOf, rankAt, before, store } = records
  const types = ['i32', 'i32', 'i32', 'i32', 'i32'] as const
  // Takes how many records the list held before, and answers how many it holds after.
  const insert = module.define('insert', types, 'i32', (f, line, list, begin, end, held) => {
    f.forRange(begin, end, 1, (i) => {
      const rank = rankOf(f, i32.add(line, i32.mul(i, elementBytes)))
      const last = i32.add(list, (k - 1) * bytes)
      f.if(i32.or(i32.lt_u(held, k), before(rank, rankAt(last))), () => {
        f.set(held, i32.add(held, i32.lt_u(held, k)))
        const at = f.let(i32.add(list, i32.mul(i32.sub(held, 1), bytes)))
        f.block((found) => {
          f.loop((again) => {
            f.branch(found, i32.eq(at, list))
            const previous = f.let(i32.sub(at, bytes))
            // Equal elements keep their order.
            f.branch(found, i32.eqz(before(rank, rankAt(previous))))
            move(f, at, previous, bytes)
            f.set(at, previous)
            f.branch(again)
          })
        })
        store(f, at, i, rank)
      })
    })
    return held
  })
  return module.define('firstByInsertion', ['i32', 'i32'], 'none', (f, line, list) => {
    const held = f.let(i32.const(0))
    inBlocks(f, size, (begin, end) => f.set(held, call(insert, line, list, begin, end, held)))
  })
}
