// The first few of an order, found in one pass: a short ordered list of records, into which what is before its last is inserted.
import type { DType } from '@shoal/core'
import { dtypes } from '@shoal/core'
import {
  call,
  f32x4,
  type Func,
  type FunctionBuilder,
  i32,
  type Local,
  type ModuleBuilder,
  v128,
} from '../../wasm/index.ts'
import { move } from '../move.ts'
import { inBlocks } from './blocks.ts'
import { recordsOf } from './record.ts'

type Address = Local<'i32'>

/** Finds the first records of a line: its address, and that of a list of `k` records. */
export type Insertion = Func<readonly ['i32', 'i32'], 'none'>

/** What is looked for: the first `k` of `size` elements, 1 ≤ k ≤ size. */
interface Wanted {
  readonly dtype: DType
  readonly descending: boolean
  readonly size: number
  readonly k: number
}

/** Writes a function that finds the first elements of a line. */
export function writeInsertion(module: ModuleBuilder, wanted: Wanted): Insertion {
  // Takes how many records the list held before, and answers how many it holds after.
  const types = ['i32', 'i32', 'i32', 'i32', 'i32'] as const
  const insert = module.define('insert', types, 'i32', (f, line, list, begin, end, held) => {
    if (wanted.dtype === 'float32' && wanted.k < wanted.size)
      passInFours(module, f, wanted, line, list, begin, end, held)
    else f.forRange(begin, end, 1, (i) => consider(f, wanted, line, list, i, held))
    return held
  })
  return module.define('firstByInsertion', ['i32', 'i32'], 'none', (f, line, list) => {
    const held = f.let(i32.const(0))
    inBlocks(f, wanted.size, (begin, end) => f.set(held, call(insert, line, list, begin, end, held)))
  })
}

/** Inserts element `i` if it is one of the first so far. */
function consider(
  f: FunctionBuilder,
  { dtype, descending, k }: Wanted,
  line: Address,
  list: Address,
  i: Address,
  held: Address,
): void {
  const { bytes, rankOf, rankAt, before, store } = recordsOf(dtype, descending)
  const rank = rankOf(f, i32.add(line, i32.mul(i, dtypes[dtype].bytes)))
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
}

/** Passes over four elements at once where none of them is before the last of a full list, as nearly all are in a long line. */
function passInFours(
  module: ModuleBuilder,
  f: FunctionBuilder,
  wanted: Wanted,
  line: Address,
  list: Address,
  begin: Address,
  end: Address,
  held: Address,
): void {
  const { k, descending } = wanted
  const one = module.define(
    'insert_one',
    ['i32', 'i32', 'i32', 'i32'],
    'i32',
    (g, ...[x, first, i, count]) => {
      consider(g, wanted, x, first, i, count)
      return count
    },
  )
  const each = (from: Address, to: Address) =>
    f.forRange(from, to, 1, (i) => f.set(held, call(one, line, list, i, held)))
  const limit = f.local('v128')
  const setLimit = () =>
    f.if(i32.eq(held, k), () => {
      const index = i32.load(i32.add(list, (k - 1) * recordsOf('float32', descending).bytes))
      f.set(limit, v128.load32_splat(i32.add(line, i32.mul(index, 4))))
    })
  setLimit()
  const whole = f.let(i32.add(begin, i32.and(i32.sub(end, begin), -4)))
  f.forRange(begin, whole, 4, (i) => {
    const x = v128.load(i32.add(line, i32.mul(i, 4)))
    // NaN is neither: it is looked at.
    const passed = descending ? f32x4.le(x, limit) : f32x4.ge(x, limit)
    f.if(i32.or(i32.lt_u(held, k), v128.any_true(v128.not(passed))), () => {
      each(i, f.let(i32.add(i, 4)))
      setLimit()
    })
  })
  each(whole, end)
}
