// The plan of a product in panels: register block, cache blocks, what is packed, and how the work is divided. Everything here is a number before code is written.
import { type Blocks, blocks, evenBlocks } from './blocks.ts'
import { productWork, unitLength, unitsFor } from './division.ts'
import type { MatmulOptions, Product } from './product.ts'
import { chooseRows, chooseTile, type TileQuery } from './tile.ts'
import { tilesFor } from './tuning.ts'

/** All that the code generator needs. Lengths are in elements unless they say bytes. */
export interface PanelPlan {
  /** Rows of a register block, and panels of columns. */
  readonly height: number
  readonly columns: Blocks
  /** Rows of a register block in the last panel, where it is narrower than the others. */
  readonly tailHeight: number
  /** Blocks of k: the first partial sum overwrites C, the others are added to it. */
  readonly depth: Blocks
  /** Units of work: blocks of rows, or blocks of columns (whole panels) for products of few rows. */
  readonly by: 'rows' | 'columns'
  readonly units: Blocks
  /** Column panels that are used together, while they stay in the second cache. */
  readonly panelsTogether: number
  /** B is read as it is, packed by the unit that uses it, packed in strips of columns by a stage before, or so once for all calls. */
  readonly packB: 'no' | 'within' | 'before' | 'once'
  readonly stripsB: Blocks
  /** A is packed, in strips of rows, into panels of `height` rows and all k: so many bytes each. */
  readonly packA: boolean
  readonly stripsA: Blocks
  readonly aPanel: number
  /** Byte offset of packed A in the workspace; packed B is at 0. */
  readonly aOffset: number
  readonly workspaceBytes: number
  /** Bytes of B packed once. */
  readonly preparedBytes: number
}

/** Steps of k of a block, at most: a panel of A and one of B are in the first cache together. The same for all tiles, as it shows in the bits of the result. */
const mostDepth = 384

/** Elements of B that may be read in place: they stay in the first cache. */
const smallOperand = 4096

/** Bytes of packed B that stay in the second cache while A passes by. */
const cachedBytes = 256 * 1024

/** Rows of products that are divided by columns. */
const fewRows = 128

/** Columns that are packed together. */
const stripColumns = 48

/** Columns from which packing A transposed pays. */
const wide = 64

export function planPanels(product: Product, options: MatmulOptions): PanelPlan {
  const { element, m, n, k, transposeA, transposeB } = product
  const { lanes, bytes } = element
  const measured = tilesFor(element.name, m * n * k, options)
  const query: TileQuery = { m, n, lanes, relaxed: options.relaxed, measured }
  const tile = options.tile ?? chooseTile(query)
  const height = Math.min(tile.rows, m)
  const columns = blocks(n, tile.vectors * lanes)
  const depth = evenBlocks(k, mostDepth, 8)
  const strip = Math.max(1, Math.floor(stripColumns / columns.size)) * columns.size

  const packs = transposeB || (n * k > smallOperand && m > height)
  const by = packs && m <= fewRows ? 'columns' : 'rows'
  const packB = !packs ? 'no' : options.constantB ? 'once' : by === 'columns' ? 'within' : 'before'
  const packA = transposeA && by === 'rows' && n >= wide && k > stepsInCache(m * bytes)
  const count = unitsFor(options.threads ?? 1, productWork(m, n, k))
  const units =
    by === 'columns'
      ? blocks(n, unitLength(n, count, strip, columns.size))
      : blocks(m, unitLength(m, count, unitRows(m, height), height))

  const allOfB = k * Math.ceil(n / lanes) * lanes * bytes
  const workspaceB = { no: 0, within: units.count * depth.size * units.size * bytes, before: allOfB, once: 0 }
  // A vector is stored for every step, beyond the panel at its end.
  const aPanel = k * height * bytes + 16
  const aOffset = Math.ceil(workspaceB[packB] / 64) * 64
  return {
    height,
    columns,
    tailHeight: packA || columns.tail === 0 ? height : chooseRows(Math.ceil(columns.tail / lanes), query),
    depth,
    by,
    units,
    panelsTogether: Math.max(1, Math.floor(cachedBytes / (columns.size * depth.size * bytes))),
    packB,
    stripsB: blocks(n, strip),
    packA,
    stripsA: blocks(m, 4 * height),
    aPanel,
    aOffset,
    preparedBytes: packB === 'once' ? allOfB : 0,
    workspaceBytes: aOffset + (packA ? Math.ceil(m / height) * aPanel : 0),
  }
}

/** Steps of k of A transposed that leave each other in half of a first cache of 64 sets of 8 lines, though strides that are powers of two meet in few sets. */
function stepsInCache(stride: number): number {
  const lines = Math.ceil(stride / 64)
  const evenness = Math.min(64, lines & -lines)
  return (64 / evenness) * 4
}

/** Rows of a unit: all of few, enough for B to be worth fetching, and few enough for threads to share the work evenly. */
function unitRows(m: number, height: number): number {
  if (m <= 96) return Math.max(1, m)
  const wanted = Math.min(96, Math.max(24, m / 12))
  return Math.ceil(wanted / height) * height
}
