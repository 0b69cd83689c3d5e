// How the work of a convolution is shared out among workgroups and lanes: plain data that follows from sizes and from what the GPU allows.
import type { Target } from '../../stage.ts'

/** A product of two matrices, `batches` times: sums of `depth` terms for every row and column. */
export interface ProductSizes {
  readonly batches: number
  readonly rows: number
  readonly columns: number
  readonly depth: number
}

/** A product in tiles: a workgroup makes `rows` × `columns` elements, and has `depth` terms of their sums in its memory at a time. */
export interface Tiling {
  readonly rows: number
  readonly columns: number
  readonly depth: number
  /** The elements that a lane makes. */
  readonly laneRows: number
  readonly laneColumns: number
  /** Workgroups that share the terms of a tile; what they find meets in scratch memory. */
  readonly splits: number
}

/** So many workgroups keep a large GPU busy. */
export const enoughGroups = 256
/** More shares of a sum are not worth collecting. */
const mostSplits = 128
/** Terms that a share of a sum should have. */
const shareTerms = 256

/** Tiles, the largest first: each has more work for what it reads than the next. */
const tiles: readonly Omit<Tiling, 'splits'>[] = (
  [
    [128, 64, 8],
    [64, 64, 4],
    [128, 32, 8],
    [64, 32, 4],
    [32, 32, 4],
    [64, 16, 4],
    [32, 16, 4],
  ] as const
).map(([rows, columns, laneRows]) => ({ rows, columns, depth: 16, laneRows, laneColumns: 4 }))

/** Lanes of a workgroup. */
export const lanesOf = ({ rows, columns, laneRows, laneColumns }: Omit<Tiling, 'splits'>): number =>
  (rows * columns) / (laneRows * laneColumns)

/** Vectors of four in the workgroup's memory: a slice of both matrices, with room between rows, or the tile itself. */
export const vectorsOf = ({ rows, columns, depth }: Omit<Tiling, 'splits'>): number =>
  Math.max((rows + columns) * (depth / 4 + 1), (rows * columns) / 4)

/** Chooses the tiles of a product: the largest of which there are enough, where sums of many terms may be split. */
export function tilingOf(sizes: ProductSizes, target: Target): Tiling {
  const fitting = tiles.filter(
    (tile) =>
      lanesOf(tile) <= target.lanes &&
      16 * vectorsOf(tile) <= target.workgroupBytes &&
      tile.rows <= Math.max(32, powerOfTwo(sizes.rows)) &&
      tile.columns <= Math.max(16, powerOfTwo(sizes.columns)),
  )
  // Splitting costs another dispatch: short sums are left whole.
  const most = clamp(Math.floor(sizes.depth / (2 * shareTerms)), 1, mostSplits)
  const tile = fitting.find((one) => tilesIn(sizes, one) * most >= enoughGroups) ?? fitting.at(-1)!
  const wanted = Math.ceil(enoughGroups / Math.max(1, tilesIn(sizes, tile)))
  return { ...tile, splits: most === 1 ? 1 : clamp(wanted, 1, Math.floor(sizes.depth / shareTerms)) }
}

/** Workgroups of a product that is not split. */
export const tilesIn = (
  { batches, rows, columns }: ProductSizes,
  tile: Pick<Tiling, 'rows' | 'columns'>,
): number => batches * Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns)

/** The sums of a filter's gradient, without tiles: lanes side by side have neighbouring elements, others share the terms. */
export interface Sharing {
  /** Elements, or fours of them, of a workgroup. */
  readonly elements: number
  /** Lanes that share the lines of an element. */
  readonly shares: number
  /** Workgroups that share them. */
  readonly splits: number
}

/** Shares out sums over `lines` lines of positions. */
export function sharingOf(elements: number, lines: number): Sharing {
  const own = Math.min(32, powerOfTwo(elements))
  const shares = clamp(powerOfTwo(lines), 1, 128 / own)
  const groups = Math.ceil(elements / own)
  const splits = clamp(
    Math.ceil(enoughGroups / groups),
    1,
    Math.min(mostSplits, Math.floor(lines / (2 * shares))),
  )
  return { elements: own, shares, splits }
}

/** The least power of two that is not below a number. */
export const powerOfTwo = (atLeast: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, atLeast)))

/** A number, or the bound that it is beyond; at least `low`. */
const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(value, high))
