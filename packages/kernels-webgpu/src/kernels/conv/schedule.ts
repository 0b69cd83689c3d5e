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

/**
 * Tiles, and which part of a multiprocessor's multiply-adds each is expected to reach: a larger one reads less for what it computes, a
 * smaller one leaves fewer multiprocessors idle.
 */
const tiles = (
  [
    [128, 64, 8, 0.7],
    [64, 64, 4, 0.6],
    [128, 32, 8, 0.6],
    [64, 32, 4, 0.5],
    [32, 32, 4, 0.4],
    [64, 16, 4, 0.35],
    [32, 16, 4, 0.25],
  ] as const
).map(([rows, columns, laneRows, efficiency]) => ({
  tile: { rows, columns, depth: 16, laneRows, laneColumns: 4 },
  efficiency,
}))
/** More shares of a sum are not worth collecting. */
const mostSplits = 128
const splitCounts = Array.from({ length: 1 + Math.log2(mostSplits) }, (_, i) => 2 ** i)

/** Multiprocessors of the GPU that costs are estimated for: WebGPU does not tell how many there are. */
const multiprocessors = 128
/** What another dispatch costs, in multiply-adds of one multiprocessor: some 2 µs. */
const dispatchCost = 400_000
/** What writing and reading a share of a sum costs, likewise. */
const shareCost = 60

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

/** The tilings worth trying, the one that is expected to be fastest first. */
export function tilingsOf(sizes: ProductSizes, target: Target): readonly Tiling[] {
  return tiles
    .flatMap(({ tile, efficiency }) =>
      splitCounts.map((splits) => {
        const tiling: Tiling = { ...tile, splits }
        return { tiling, cost: costOf(tiling, sizes, efficiency) }
      }),
    )
    .filter(
      ({ tiling }) =>
        // A share that is worth it has some slices.
        (tiling.splits - 1) * 4 * tiling.depth < sizes.depth && isLegal(tiling, sizes, target),
    )
    .sort((a, b) => a.cost - b.cost)
    .slice(0, 8)
    .map(({ tiling }) => tiling)
}

/** The time that a product is expected to take, in multiply-adds of one multiprocessor. */
function costOf(tiling: Tiling, sizes: ProductSizes, efficiency: number): number {
  const { rows, columns, depth, splits } = tiling
  const rounds = Math.ceil((tilesIn(sizes, tiling) * splits) / multiprocessors)
  const terms = Math.ceil(sizes.depth / splits / depth) * depth
  const elements = sizes.batches * sizes.rows * sizes.columns
  const adding = splits === 1 ? 0 : dispatchCost + (splits * elements * shareCost) / multiprocessors
  return (rounds * rows * columns * (terms + 2 * depth)) / efficiency + adding
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

/** So many workgroups keep a large GPU busy. */
const enoughGroups = 2 * multiprocessors

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
