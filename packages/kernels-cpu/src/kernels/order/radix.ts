// A whole line in order: records are dealt into 256 piles by each byte of their ranks, the lowest byte first; equal ones keep their order.
import { call, type Func, i32, type Local, memory, type ModuleBuilder } from '../../wasm/index.ts'
import { move } from '../move.ts'
import { inBlocks } from './blocks.ts'
import type { Records } from './record.ts'

/** Sorts a line: its address and that of scratch memory; the address of the records in order. */
export type RadixSort = Func<readonly ['i32', 'i32'], 'i32'>

const piles = 256
const pileBytes = 4 * piles

/** Scratch memory for sorting `size` elements: the records twice, and the piles of every byte. */
export const radixBytes = ({ bytes, rankBytes }: Records, size: number): number =>
  2 * size * bytes + rankBytes * pileBytes

/** Writes a function that sorts `size` elements of `elementBytes` bytes. */
export function writeRadixSort(
  module: ModuleBuilder,
  records: Records,
  size: number,
  elementBytes: number,
): RadixSort {
  const { bytes, rankBytes, rankOffset } = records
  const count = writeCount(module, records, elementBytes)
  const begin = writePileBegins(module)
  const deal = writeDeal(module, bytes)
  return module.define('radixSort', ['i32', 'i32'], 'i32', (f, line, scratch) => {
    const from = f.let(scratch)
    const to = f.let(i32.add(scratch, size * bytes))
    const counts = f.let(i32.add(scratch, 2 * size * bytes))
    f.do(memory.fill(counts, 0, rankBytes * pileBytes))
    inBlocks(f, size, (first, end) => f.do(call(count, line, from, counts, first, end)))
    for (let byte = 0; byte < rankBytes; byte++) {
      const pilesOf = f.let(i32.add(counts, byte * pileBytes))
      const pile = i32.load8_u(from, rankOffset + byte)
      // Where all are on one pile there is nothing to deal.
      f.if(i32.ne(i32.load(i32.add(pilesOf, i32.mul(pile, 4))), size), () => {
        f.do(call(begin, pilesOf))
        inBlocks(f, size, (first, end) => f.do(call(deal, from, to, pilesOf, rankOffset + byte, first, end)))
        const swapped = f.let(from)
        f.set(from, to)
        f.set(to, swapped)
      })
    }
    return from
  })
}

/** Makes records of elements [begin, end), and counts them on the piles of every byte. */
function writeCount(
  module: ModuleBuilder,
  { bytes, rankBytes, rankOffset, rankOf, store }: Records,
  elementBytes: number,
) {
  const types = ['i32', 'i32', 'i32', 'i32', 'i32'] as const
  return module.define('radixCount', types, 'none', (f, line, records, counts, begin, end) => {
    f.forRange(begin, end, 1, (i) => {
      const record = f.let(i32.add(records, i32.mul(i, bytes)))
      store(f, record, i, rankOf(f, i32.add(line, i32.mul(i, elementBytes))))
      for (let byte = 0; byte < rankBytes; byte++) {
        const pile = f.let(i32.add(counts, i32.mul(i32.load8_u(record, rankOffset + byte), 4)))
        f.do(i32.store(pile, i32.add(i32.load(pile, byte * pileBytes), 1), byte * pileBytes))
      }
    })
  })
}

/** Turns the sizes of piles into where they begin. */
function writePileBegins(module: ModuleBuilder) {
  return module.define('radixBegins', ['i32'], 'none', (f, counts) => {
    const sum = f.let(i32.const(0))
    f.forRange(0, pileBytes, 4, (at) => {
      const pile = f.let(i32.add(counts, at))
      const size = f.let(i32.load(pile))
      f.do(i32.store(pile, sum))
      f.set(sum, i32.add(sum, size))
    })
  })
}

/** Moves records [begin, end) to the ends of the piles that the byte at an offset of theirs names. */
function writeDeal(module: ModuleBuilder, bytes: number) {
  const types = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const
  return module.define('radixDeal', types, 'none', (f, from, to, piles, offset, begin, end) => {
    f.forRange(begin, end, 1, (i) => {
      const record: Local<'i32'> = f.let(i32.add(from, i32.mul(i, bytes)))
      const pile = f.let(i32.add(piles, i32.mul(i32.load8_u(i32.add(record, offset)), 4)))
      const place = f.let(i32.load(pile))
      f.do(i32.store(pile, i32.add(place, 1)))
      move(f, f.let(i32.add(to, i32.mul(place, bytes))), record, bytes)
    })
  })
}
