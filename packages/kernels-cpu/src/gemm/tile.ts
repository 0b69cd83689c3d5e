// The register block of a product: how many rows and vectors of C are kept in registers, chosen by counting what one step of k costs.

/** A block of C in registers. */
export interface Tile {
  readonly rows: number
  /** Vectors per row. */
  readonly vectors: number
}

/** What the choice depends on. */
export interface TileQuery {
  readonly m: number
  readonly n: number
  /** Elements of a vector. */
  readonly lanes: number
  /** Fused multiply-add, or multiply and add. */
  readonly relaxed: boolean
  /** Vector registers to be had: 15 on x64 (one of 16 is the engine's), about 27 on arm64. More than that spills. */
  readonly registers: number
}

/** The tile with the least estimated time for an m × n result, tails included. */
export function chooseTile({ m, n, lanes, relaxed, registers }: TileQuery): Tile {
  let best: Tile = { rows: 1, vectors: 1 }
  let least = Infinity
  const columns = Math.ceil(n / lanes)
  for (let rows = 1; rows <= Math.min(8, Math.max(1, m)); rows++)
    for (let vectors = 1; vectors <= Math.min(6, Math.max(1, columns)); vectors++) {
      if (rows * vectors + vectors + 1 > registers) break
      const cost = split(m, rows).reduce(
        (sum, [height, down]) =>
          sum +
          split(columns, vectors).reduce(
            (line, [width, across]) => line + down * across * stepCycles(height, width, relaxed),
            0,
          ),
        0,
      )
      if (cost < least) {
        least = cost
        best = { rows, vectors }
      }
    }
  return best
}

/** Whole blocks and the tail: pairs of (size, how many). */
function split(length: number, block: number): [size: number, count: number][] {
  const tail = length % block
  return [
    [block, Math.floor(length / block)],
    [tail, tail > 0 ? 1 : 0],
  ]
}

/**
 * Estimated cycles of one step of k: two multiply-adds a cycle, four instructions a cycle, and four cycles until
 * an accumulator may be used again (the kernel keeps up to four sets of accumulators to hide that).
 * A broadcast counts twice, as its address is an instruction of its own.
 */
function stepCycles(rows: number, vectors: number, relaxed: boolean): number {
  const products = rows * vectors
  const arithmetic = relaxed ? products : 2 * products
  const instructions = arithmetic + vectors + 2 * rows
  const sets = accumulatorSets(rows, vectors)
  return Math.max(arithmetic / 2, instructions / 4, 4 / sets) + 0.02 * instructions
}

/** Independent sets of accumulators, summed at the end, that a small tile needs to keep the multipliers busy. */
export function accumulatorSets(rows: number, vectors: number): number {
  return Math.min(4, Math.max(1, Math.floor(8 / (rows * vectors))))
}
