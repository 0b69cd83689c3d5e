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

/** Do these tiles compute a product within the limits of a GPU? */
export function isLegal(tiling: Tiling, sizes: ProductSizes, target: Target): boolean {
  const { rows, columns, depth, laneRows, laneColumns, splits } = tiling
  const lanes = lanesOf(tiling)
  return (
    [rows, columns, depth, lanes].every((size) => size >= 4 && powerOfTwo(size) === size) &&
    [laneRows, laneColumns].every((size) => size === 4 || size === 8) &&
    // Every line of a slice is read by so many lanes side by side.
    lanes >= Math.max(rows, columns, depth) / 4 &&
    lanes <= target.lanes &&
    16 * vectorsOf(tiling) <= target.workgroupBytes &&
    splits <= Math.max(1, Math.min(mostSplits, Math.floor(sizes.depth / depth)))
  )
}

/** The tiles worth trying, the one that is expected to be fastest first: the largest of which there are enough, where sums of many terms may be split. */
export function tilingsOf(sizes: ProductSizes, target: Target): readonly Tiling[] {
  // Splitting costs another dispatch: short sums are left whole.
  const most = clamp(Math.floor(sizes.depth / (2 * shareTerms)), 1, mostSplits)
  const fitting = tiles
    .filter(
      ({ rows, columns }) =>
        rows <= Math.max(32, powerOfTwo(sizes.rows)) && columns <= Math.max(16, powerOfTwo(sizes.columns)),
    )
    .map((tile): Tiling => {
      const wanted = Math.ceil(enoughGroups / Math.max(1, tilesIn(sizes, tile)))
      return { ...tile, splits: most === 1 ? 1 : clamp(wanted, 1, Math.min(2 * most, mostSplits)) }
    })
    .filter((tiling) => isLegal(tiling, sizes, target))
  const enough = fitting.findIndex((tile) => tilesIn(sizes, tile) * most >= enoughGroups)
  const first = enough < 0 ? fitting.length - 1 : enough
  return [...fitting.slice(first), ...fitting.slice(0, first).reverse()]
}

/** The tiles of a product: as was measured on the GPU, if that is legal, or as is expected to be fastest. */
export function tilingOf(sizes: ProductSizes, target: Target, measured?: Tiling): Tiling {
  return measured && isLegal(measured, sizes, target) ? measured : tilingsOf(sizes, target)[0]!
}

/** Is this plain data a tiling? Whether it is legal depends on the product and the GPU. */
export function isTiling(value: unknown): value is Tiling {
  if (typeof value !== 'object' || value === null) return false
  const { rows, columns, depth, laneRows, laneColumns, splits } = value as Partial<Tiling>
  return [rows, columns, depth, laneRows, laneColumns, splits].every(
    (size) => Number.isSafeInteger(size) && size! >= 1,
  )
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
