// How a product is shared out among workgroups and lanes: plain data, chosen by a cost model from sizes and limits alone.
import { sizeOf } from '@shoal/core'
import type { Target } from '../../stage.ts'
import { type Operand, inFours } from './operand.ts'
import type { Product } from './product.ts'

/** Each workgroup computes a tile of the result, each lane a part of it in registers; both operands pass through workgroup memory. */
export interface TiledSchedule {
  readonly form: 'tiled'
  /** Rows and columns of a workgroup, and of a lane: 4 or 8. All are powers of two. */
  readonly tile: readonly [rows: number, columns: number]
  readonly perLane: readonly [rows: number, columns: number]
  /** Steps of k that are in workgroup memory at a time. */
  readonly depth: number
  /** Workgroups that share the k of a tile. Their partial sums meet in scratch memory, which another stage adds up. */
  readonly splits: number
}

/** For results with at most eight rows or columns: the lanes of a workgroup share the k of a few of the others, and read each operand once. */
export interface NarrowSchedule {
  readonly form: 'narrow'
  /** Lanes that share a k, and groups of such lanes: powers of two. */
  readonly across: number
  readonly columns: number
  readonly splits: number
}

/** For little work: a lane for every element of the result. */
export interface DirectSchedule {
  readonly form: 'direct'
  readonly splits: 1
}

/** How a product runs. */
export type MatmulSchedule = TiledSchedule | NarrowSchedule | DirectSchedule

/** Lanes of a workgroup of the direct form. */
export const directLanes = 64

/** Rows or columns of a result that count as few. */
export const few = 8

/** The operands of the narrow form: the one with few rows or columns, and the other. */
export function narrowSides({ m, n, a, b }: Product): { readonly narrow: Operand; readonly wide: Operand } {
  return m <= n ? { narrow: a, wide: b } : { narrow: b, wide: a }
}

/** Neighbours of the result that a lane of the narrow form computes: it reads as many at a time. */
export const narrowWidth = (wide: Operand): 1 | 4 => (wide.along === 'outer' && inFours(wide) ? 4 : 1)

/** Invocations of a workgroup. */
export function lanesOf(schedule: MatmulSchedule): number {
  if (schedule.form === 'direct') return directLanes
  if (schedule.form === 'narrow') return schedule.across * schedule.columns
  const { tile, perLane } = schedule
  return (tile[0] / perLane[0]) * (tile[1] / perLane[1])
}

/** Does this schedule compute this product within the limits of a device? */
export function isLegal(schedule: MatmulSchedule, product: Product, target: Target): boolean {
  const { form, splits } = schedule
  const lanes = lanesOf(schedule)
  if (!isPowerOfTwo(lanes) || lanes > target.lanes) return false
  if (form === 'direct') return splits === 1
  if (!(splits >= 1) || splits > product.k || partialBytes(product, splits) > mostPartialBytes) return false
  if (form === 'narrow') {
    const { narrow, wide } = narrowSides(product)
    const sums = narrow.outer * schedule.columns * narrowWidth(wide)
    return (
      narrow.outer <= few &&
      [schedule.across, schedule.columns].every(isPowerOfTwo) &&
      4 * sums * schedule.across <= target.workgroupBytes
    )
  }
  const { tile, perLane, depth } = schedule
  const [rows, columns] = tile
  return (
    [...tile, depth].every(isPowerOfTwo) &&
    perLane.every((size, side) => (size === 4 || size === 8) && size <= tile[side]!) &&
    depth >= 4 &&
    tile.every((extent) => (extent * depth) / 4 >= lanes) &&
    16 * (rows + columns) * (depth / 4 + 1) <= target.workgroupBytes
  )
}

/** Scratch memory of a split product, and the most that is asked for. */
export const partialBytes = ({ batches, m, n }: Product, splits: number): number =>
  splits === 1 ? 0 : 4 * splits * sizeOf(batches) * m * n
const mostPartialBytes = 2 ** 26

const isPowerOfTwo = (size: number): boolean => size >= 1 && Number.isInteger(Math.log2(size))

/**
 * Tiles worth trying, and which part of a multiprocessor's multiply-adds each is expected to reach. A larger tile reads less for what it
 * computes, from memory as from workgroup memory; a smaller one leaves fewer multiprocessors idle.
 */
const tiles: readonly (readonly [Omit<TiledSchedule, 'form' | 'splits'>, efficiency: number])[] = [
  [{ tile: [128, 128], perLane: [8, 8], depth: 8 }, 0.8],
  [{ tile: [128, 64], perLane: [8, 4], depth: 16 }, 0.7],
  [{ tile: [64, 128], perLane: [4, 8], depth: 16 }, 0.7],
  [{ tile: [64, 64], perLane: [8, 4], depth: 16 }, 0.65],
  [{ tile: [64, 64], perLane: [4, 4], depth: 16 }, 0.6],
  [{ tile: [32, 32], perLane: [4, 4], depth: 16 }, 0.4],
  [{ tile: [16, 64], perLane: [4, 4], depth: 16 }, 0.35],
  [{ tile: [64, 16], perLane: [4, 4], depth: 16 }, 0.35],
  [{ tile: [16, 16], perLane: [4, 4], depth: 16 }, 0.1],
]
const splitCounts = [1, 2, 4, 8, 16, 32, 64]

/** Multiprocessors of the GPU that costs are estimated for: WebGPU does not tell how many there are. */
const multiprocessors = 128
/** What another dispatch costs, in multiply-adds of one multiprocessor: some 2 µs. */
const dispatchCost = 400_000
/** What adding up one partial sum costs, likewise: it is written and read. */
const partialCost = 60

/** The tiled schedules that are legal, the one that is expected to be fastest first. */
export function tiledCandidates(product: Product, target: Target): readonly TiledSchedule[] {
  const { batches, m, n, k } = product
  const cost = ({ tile: [rows, columns], depth, splits }: TiledSchedule, efficiency: number): number => {
    const groups = Math.ceil(m / rows) * Math.ceil(n / columns) * sizeOf(batches) * splits
    const steps = Math.ceil(k / splits / depth) * depth
    const adding =
      splits === 1 ? 0 : dispatchCost + (splits * m * n * sizeOf(batches) * partialCost) / multiprocessors
    return (Math.ceil(groups / multiprocessors) * rows * columns * (steps + 2 * depth)) / efficiency + adding
  }
  return tiles
    .flatMap(([tile, efficiency]) =>
      splitCounts.map((splits) => {
        const schedule: TiledSchedule = { form: 'tiled', ...tile, splits }
        return { schedule, cost: cost(schedule, efficiency) }
      }),
    )
    .filter(
      ({ schedule }) => (schedule.splits - 1) * 4 * schedule.depth < k && isLegal(schedule, product, target),
    )
    .sort((x, y) => x.cost - y.cost)
    .map(({ schedule }) => schedule)
}

/** Lanes that keep a large GPU busy reading, and workgroups. */
const busyLanes = 32768
const busyGroups = 256
/** Steps of k that are worth a lane of its own. */
const stepsPerLane = 8

/** The schedule of the narrow form. */
export function narrowSchedule(product: Product, target: Target): NarrowSchedule {
  const { narrow, wide } = narrowSides(product)
  const { batches, k } = product
  const width = narrowWidth(wide)
  const room = Math.floor(target.workgroupBytes / (4 * narrow.outer * width))
  const lanes = Math.min(256, target.lanes, powerOfTwoBelow(room))
  const groupsWith = (columns: number): number => Math.ceil(wide.outer / (columns * width)) * sizeOf(batches)
  // As few lanes as read memory in whole lines, along the axis of neighbours; more where there are enough workgroups or k is short.
  const least = wide.along === 'outer' ? 16 / width : 1
  const most = wide.along === 'outer' ? lanes : Math.max(1, lanes / 32)
  let columns = Math.min(least, lanes)
  while (
    columns * 2 <= most &&
    (groupsWith(columns * 2) >= busyGroups || (lanes / columns) * stepsPerLane > k)
  )
    columns *= 2
  const across = Math.min(lanes / columns, powerOfTwoBelow(Math.max(1, k)))
  const busy = groupsWith(columns) * columns * across
  const splits = Math.min(64, Math.floor(busyLanes / busy), Math.floor(k / (across * 4 * stepsPerLane)))
  const chosen: NarrowSchedule = { form: 'narrow', across, columns, splits: Math.max(1, splits) }
  return isLegal(chosen, product, target) ? chosen : { ...chosen, splits: 1 }
}

const powerOfTwoBelow = (most: number): number => 2 ** Math.floor(Math.log2(most))

/** The forms that suit a product, the schedule that is expected to be fastest first: what is tried by measuring. */
export function matmulCandidates(product: Product, target: Target): readonly MatmulSchedule[] {
  const { batches, m, n, k } = product
  const tiled = tiledCandidates(product, target).slice(0, 6)
  const others = Math.min(m, n) <= few ? [narrowSchedule(product, target), ...tiled] : tiled
  const little = k <= littleDepth && (sizeOf(batches) * m * n * k <= littleWork || m * n <= littleResult)
  const direct: DirectSchedule = { form: 'direct', splits: 1 }
  return little ? [direct, ...others] : others
}

/** Products of so few multiply-adds, or with so few elements a batch, are not worth sharing, unless k is longer than this. */
const littleWork = 2 ** 17
const littleResult = 256
const littleDepth = 128

/** Products that are alike enough to run the same way: by arithmetic, layout, and sizes up to the next powers of two. */
export function matmulClass({ batches, m, n, k, a, b, arithmetic: { element } }: Product): string {
  const [rounded, rows, depth, columns] = [sizeOf(batches), m, k, n].map(
    (size) => 2 ** Math.ceil(Math.log2(Math.max(1, size))),
  )
  const layout = `${a.along === 'inner' ? 'n' : 't'}${b.along === 'outer' ? 'n' : 't'}`
  return `${element} ${layout} ${rounded}x${rows}x${depth}x${columns}`
}

/** How a product runs on a device: as was measured there, if that is legal, or as the cost model expects to be fastest. */
export function chooseSchedule(product: Product, target: Target): MatmulSchedule {
  const measured = target.schedules?.matmul?.[matmulClass(product)]
  if (measured && isLegal(measured, product, target)) return measured
  return matmulCandidates(product, target)[0]!
}

/** In a few words for people. */
export function printSchedule(schedule: MatmulSchedule): string {
  if (schedule.form === 'direct') return 'a lane an element'
  const split = schedule.splits === 1 ? '' : `, k in ${schedule.splits} parts`
  if (schedule.form === 'narrow')
    return `${schedule.across} lanes a sum, ${schedule.columns} at a time${split}`
  const { tile, perLane, depth } = schedule
  return `tiles of ${tile.join('×')} by ${depth}, ${perLane.join('×')} a lane${split}`
}

/** Is this plain data a schedule? Whether it is legal depends on the product and the device. */
export function isMatmulSchedule(value: unknown): value is MatmulSchedule {
  if (typeof value !== 'object' || value === null) return false
  const { form, splits, tile, perLane, depth, across, columns } = value as Record<string, unknown>
  const isCount = (x: unknown): boolean => Number.isSafeInteger(x) && (x as number) >= 1
  const isPair = (x: unknown): boolean => Array.isArray(x) && x.length === 2 && x.every(isCount)
  if (!isCount(splits)) return false
  if (form === 'tiled') return isPair(tile) && isPair(perLane) && isCount(depth)
  return form === 'narrow' ? isCount(across) && isCount(columns) : form === 'direct'
}
