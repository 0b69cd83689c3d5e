// Packing copies an operand into panels, so that the micro-kernel reads it front to back: for each panel, for each k, its rows (or columns).
import { type FunctionBuilder, i32, type Local } from '../wasm/index.ts'
import { type Element, zero } from './element.ts'

/** Some panels of an operand, side by side: each of `width` lines (rows of A, columns of B), each line `k` long. */
export interface Strip {
  readonly element: Element
  readonly k: number
  readonly widths: readonly number[]
  /** Bytes between the packed steps of k: whole vectors, or exactly `width` elements. */
  readonly packedK: number
  /** Bytes from one packed panel to the next. */
  readonly packedPanel: number
}

/** The widths of the panels of `length` lines. */
export const panelWidths = (length: number, size: number): number[] =>
  Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size))

/**
 * Packs a strip whose lines are adjacent in memory (B as it is, A transposed): short copies for each k.
 * Reads exactly the strip, or with `spare`, up to `lanes - 1` elements after its lines.
 * Writes whole vectors: up to `lanes - 1` elements after each panel are overwritten.
 */
export function packAdjacent(
  f: FunctionBuilder<'none'>,
  { element, k, widths, packedK, packedPanel }: Strip,
  source: Local<'i32'>,
  sourceK: number,
  target: Local<'i32'>,
  spare = false,
): void {
  const { lanes, bytes } = element
  const copies = widths.flatMap((width, panel) => {
    const start = widths.slice(0, panel).reduce((sum, w) => sum + w, 0)
    return Array.from({ length: Math.ceil(width / lanes) }, (_, v) => ({
      count: spare ? lanes : Math.min(lanes, width - v * lanes),
      from: (start + v * lanes) * bytes,
      to: panel * packedPanel + v * 16,
    }))
  })
  const [from, to, vector] = [f.let(source), f.let(target), f.local('v128')]
  f.forRange(0, k, 1, () => {
    for (const copy of copies) {
      f.set(vector, element.load(from, copy.count, copy.from))
      f.do(...element.store(to, vector, lanes, copy.to))
    }
    f.set(from, i32.add(from, sourceK))
    f.set(to, i32.add(to, packedK))
  })
}

/**
 * Packs a strip whose lines are `sourceLine` bytes apart and run along k (B transposed): squares are transposed in registers.
 * Reads exactly the strip; missing lines of the last vector become zeros.
 */
export function packTransposed(
  f: FunctionBuilder<'none'>,
  { element, k, widths, packedK, packedPanel }: Strip,
  source: Local<'i32'>,
  sourceLine: number,
  target: Local<'i32'>,
): void {
  const { lanes, bytes } = element
  const lines = Array.from({ length: lanes }, () => f.local('v128'))
  const [from, to, column] = [f.local('i32'), f.local('i32'), f.local('v128')]
  const strip = (width: number, depth: number) => {
    for (let first = 0; first < width; first += lanes) {
      lines.forEach((line, i) => {
        const inside = first + i < width
        f.set(line, inside ? element.load(from, depth, (first + i) * sourceLine) : zero)
      })
      element.transpose(lines).forEach((packed, step) => {
        if (step >= depth) return
        f.set(column, packed)
        f.do(...element.store(to, column, lanes, step * packedK + first * bytes))
      })
    }
  }
  let start = 0
  widths.forEach((width, panel) => {
    f.set(from, i32.add(source, start * sourceLine))
    f.set(to, i32.add(target, panel * packedPanel))
    f.forRange(0, Math.floor(k / lanes), 1, () => {
      strip(width, lanes)
      f.set(from, i32.add(from, lanes * bytes))
      f.set(to, i32.add(to, lanes * packedK))
    })
    if (k % lanes > 0) strip(width, k % lanes)
    start += width
  })
}
