// Packing copies an operand into panels, so that the micro-kernel reads it front to back: for each panel, for each k, its rows (or columns).
import { type FunctionBuilder, i32, type Local, type Value, type Operand } from '../wasm/index.ts'
import { type Element, zero } from './element.ts'

type Address = Operand<'i32'>

const offset = (base: Address, count: Address, bytes: number): Value<'i32'> =>
  i32.add(base, i32.mul(count, bytes))

/** A strip of an operand: `width` lines (rows of A, columns of B), each `k` long. */
export interface Strip {
  readonly element: Element
  readonly k: number
  readonly width: number
  /** Bytes between the packed steps of k: whole vectors, or exactly `width` elements. */
  readonly packedK: number
}

/**
 * Packs a strip whose lines are adjacent in memory (B as it is, A transposed): one short copy for each k.
 * Reads exactly the strip. Writes whole vectors: up to `lanes - 1` elements after the strip are overwritten.
 */
export function packAdjacent(
  f: FunctionBuilder<'none'>,
  { element, k, width, packedK }: Strip,
  source: Local<'i32'>,
  sourceK: number,
  target: Local<'i32'>,
): void {
  const { lanes } = element
  const vectors = Array.from({ length: Math.ceil(width / lanes) }, () => f.local('v128'))
  f.forRange(0, k, 1, (step) => {
    const from = f.let(offset(source, step, sourceK))
    const to = f.let(offset(target, step, packedK))
    vectors.forEach((vector, v) =>
      f.set(vector, element.load(from, Math.min(lanes, width - v * lanes), v * 16)),
    )
    vectors.forEach((vector, v) => f.do(...element.store(to, vector, lanes, v * 16)))
  })
}

/**
 * Packs a strip whose lines are `sourceLine` bytes apart and run along k (B transposed): squares are transposed in registers.
 * Reads exactly the strip; missing lines of the last vector become zeros.
 */
export function packTransposed(
  f: FunctionBuilder<'none'>,
  { element, k, width, packedK }: Strip,
  source: Local<'i32'>,
  sourceLine: number,
  target: Local<'i32'>,
): void {
  const { lanes, bytes } = element
  const lines = Array.from({ length: lanes }, () => f.local('v128'))
  const column = f.local('v128')
  const from = f.local('i32')
  const to = f.local('i32')
  const square = (first: number, depth: number) => {
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
  const strip = (depth: number) => {
    for (let first = 0; first < width; first += lanes) square(first, depth)
  }
  f.set(from, source)
  f.set(to, target)
  f.forRange(0, Math.floor(k / lanes), 1, () => {
    strip(lanes)
    f.set(from, i32.add(from, lanes * bytes))
    f.set(to, i32.add(to, lanes * packedK))
  })
  if (k % lanes > 0) strip(k % lanes)
}
