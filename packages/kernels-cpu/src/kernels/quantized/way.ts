// Which way of multiplying bytes suits this machine, found by asking its dot product about bytes that it promises nothing for.
import { features, i32x4, i8x16, ModuleBuilder } from '../../wasm/index.ts'
import type { ProductName } from './product.ts'

/** How blocks are computed. Every way gives the same bits. */
export interface Way {
  readonly product: ProductName
  /** Rows of activations in a block. */
  readonly rows: number
}

let ofMachine: Way | undefined

/** The way for this machine; found once and remembered. Without relaxed SIMD it is that of plain SIMD. */
export function wayFor({ relaxed }: { readonly relaxed: boolean }): Way {
  if (!relaxed || !features().relaxedSimd) return { product: 'words', rows: 2 }
  return (ofMachine ??= wayOf(dotOfLargeBytes()))
}

/**
 * Four products of 127 and a byte of all ones, which is no activation, tell how the engine computes `i32x4.relaxed_dot_i8x16_i7x16_add_s`:
 * - 4 · 127 · -1: both signed. ARM, by one instruction where it has a dot product; enough registers for four rows.
 * - 4 · 127 · 255: one unsigned, summed in 32 bits. x64, by one instruction.
 * - less: sums of two are kept within 16 bits. x64 of before, by five instructions, while the sums of two themselves are one.
 */
function wayOf(answer: number): Way {
  if (answer === -508) return { product: 'bytes', rows: 4 }
  return answer === 129540 ? { product: 'bytes', rows: 2 } : { product: 'pairs', rows: 2 }
}

function dotOfLargeBytes(): number {
  const module = new ModuleBuilder()
  const probe = module.define('dot', ['i32', 'i32'], 'i32', (_, a, b) =>
    i32x4.extract_lane(
      i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(a), i8x16.splat(b), i32x4.const(0)),
      0,
    ),
  )
  module.export(probe)
  const { exports } = new WebAssembly.Instance(module.compile())
  return (exports['dot'] as (a: number, b: number) => number)(127, 255)
}
