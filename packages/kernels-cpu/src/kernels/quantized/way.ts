// Which way of multiplying bytes suits this machine, found by asking its instructions about what they promise nothing for.
import { f32, features, i32, i32x4, i8x16, ModuleBuilder } from '../../wasm/index.ts'
import type { ProductName } from './product.ts'

/** How blocks are computed. Every way gives the same bits. */
export interface Way {
  readonly product: ProductName
  /** Rows of activations in a block. */
  readonly rows: number
}

/** What a machine answered. */
export interface Signs {
  /** Four products of 127 and a byte of all ones, which is no activation, by `i32x4.relaxed_dot_i8x16_i7x16_add_s`. */
  readonly dot: number
  /** The bits of 0 / 0. */
  readonly nan: number
}

let ofMachine: Way | undefined

/** The way for this machine; found once and remembered. Without relaxed SIMD it is that of plain SIMD. */
export function wayFor({ relaxed }: { readonly relaxed: boolean }): Way {
  if (!relaxed || !features().relaxedSimd) return { product: 'words', rows: 2 }
  return (ofMachine ??= wayOf(askMachine()))
}

/**
 * Sums of two products that were kept within 16 bits, 2 · 32767, are those of x64 before AVX-VNNI: five instructions, while the sums of two
 * themselves are one. All others have one for four products or are as quick by it as by any other, whether they take the byte as 255 or as -1.
 *
 * The NaN that x64 makes is negative, that of ARM positive; ARM has vector registers enough for four rows.
 */
export function wayOf({ dot, nan }: Signs): Way {
  if (dot === 65534) return { product: 'pairs', rows: 2 }
  return { product: 'bytes', rows: nan < 0 ? 2 : 4 }
}

function askMachine(): Signs {
  const module = new ModuleBuilder()
  const dot = module.define('dot', ['i32', 'i32'], 'i32', (_, a, b) =>
    i32x4.extract_lane(
      i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(a), i8x16.splat(b), i32x4.const(0)),
      0,
    ),
  )
  const nan = module.define('nan', ['f32'], 'i32', (_, x) => i32.reinterpret_f32(f32.div(x, x)))
  module.export(dot)
  module.export(nan)
  const { exports } = new WebAssembly.Instance(module.compile())
  const ask = exports as Readonly<Record<string, (...numbers: number[]) => number>>
  return { dot: ask['dot']!(127, 255), nan: ask['nan']!(0) }
}
