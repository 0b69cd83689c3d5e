// Where the pixels of a resized axis come from. Places are fractions of whole numbers, so that no device rounds one to another pixel.
import type { Expr } from '../../ir/expr.ts'
import { E } from '../../ir/expr.ts'
import { int } from '../../ir/view.ts'

/** How the old and the new grid of pixels are laid over each other. */
export interface Grid {
  readonly alignCorners: boolean
  readonly halfPixelCenters: boolean
}

/** Pixel i of the result lies at (slope · i + shift) / unit in the source. */
function line(
  from: number,
  to: number,
  { alignCorners, halfPixelCenters }: Grid,
): { slope: number; shift: number; unit: number } {
  if (alignCorners && to > 1) return { slope: from - 1, shift: 0, unit: to - 1 }
  return halfPixelCenters
    ? { slope: 2 * from, shift: from - to, unit: 2 * to }
    : { slope: from, shift: 0, unit: to }
}

/** The nearest pixel: rounded with aligned corners, else the pixel in whose area the place lies. */
function nearestLine(from: number, to: number, grid: Grid): { slope: number; shift: number; unit: number } {
  const { slope, shift, unit } = line(from, to, grid)
  // Adding a half before rounding down: half coordinates are centres, so that their half is there already.
  return (grid.alignCorners && to > 1) || grid.halfPixelCenters
    ? { slope: 2 * slope, shift: 2 * shift + unit, unit: 2 * unit }
    : { slope, shift, unit }
}

/** As an expression of the index: the neighbours, and the share of the high one in units of 1 / `unit`. */
export function sampling(method: 'bilinear' | 'nearest', at: Expr, from: number, to: number, grid: Grid) {
  const { slope, shift, unit } = (method === 'nearest' ? nearestLine : line)(from, to, grid)
  const place = E.max(E.add(E.mul(at, int(slope)), int(shift)), int(0))
  const low = E.min(E.div(place, int(unit)), int(from - 1))
  return { low, high: E.min(E.add(low, int(1)), int(from - 1)), share: E.rem(place, int(unit)), unit }
}

/** As numbers: the neighbours of pixel `i`, and the share of the high one. */
export function positionOf(method: 'bilinear' | 'nearest', i: number, from: number, to: number, grid: Grid) {
  const { slope, shift, unit } = (method === 'nearest' ? nearestLine : line)(from, to, grid)
  const place = Math.max(0, slope * i + shift)
  const low = Math.min(Math.floor(place / unit), from - 1)
  return { low, high: Math.min(low + 1, from - 1), share: method === 'nearest' ? 0 : (place % unit) / unit }
}
