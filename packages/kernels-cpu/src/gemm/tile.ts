// The register block of a product: how many rows and vectors of C are kept in registers, chosen by what one step of k costs.

/** A block of C in registers. */
export interface Tile {
  readonly rows: number
  /** Vectors per row. */
  readonly vectors: number
}

/** What a step of k was measured to cost with a register block. */
export interface MeasuredTile extends Tile {
  readonly nanoseconds: number
}

/** What the choice depends on. */
export interface TileQuery {
  readonly m: number
  readonly n: number
  /** Elements of a vector. */
  readonly lanes: number
  /** Fused multiply-add, or multiply and add. */
  readonly relaxed: boolean
  /** Vector registers to be had; a block that needs more spills. Default: those of this process's architecture, as far as it is told. */
  readonly registers?: number
  /** Register blocks that were measured on this machine. */
  readonly measured?: readonly MeasuredTile[] | undefined
}

/** Register blocks that are worth measuring somewhere: the first ones fit the registers of x64, the others those of arm64. */
const candidateTiles: readonly Tile[] = [
  { rows: 3, vectors: 3 },
  { rows: 2, vectors: 4 },
  { rows: 5, vectors: 2 },
  { rows: 6, vectors: 2 },
  { rows: 4, vectors: 4 },
  { rows: 5, vectors: 4 },
  { rows: 8, vectors: 3 },
]

/** Register blocks that are worth measuring here: all that do not spill, or simply all, where the architecture is not told. */
export const candidatesFor = (relaxed: boolean): readonly Tile[] =>
  candidateTiles.filter(
    ({ rows, vectors }) => toldRegisters === undefined || needed(rows, vectors, relaxed) <= toldRegisters,
  )

/** The tile with the least estimated time for an m × n result, tails included. */
export function chooseTile(query: TileQuery): Tile {
  const { m, n, lanes } = query
  const cost = stepCost(query)
  const columns = Math.ceil(n / lanes)
  let best: Tile = { rows: 1, vectors: 1 }
  let lowest = Infinity
  for (let rows = 1; rows <= Math.min(mostRows, Math.max(1, m)); rows++)
    for (let vectors = 1; vectors <= Math.min(6, Math.max(1, columns)); vectors++) {
      const tail = columns % vectors
      const time =
        Math.floor(columns / vectors) * split(m, rows, vectors, cost) +
        (tail > 0 ? split(m, bestRows(m, tail, cost), tail, cost) : 0)
      if (time >= lowest) continue
      lowest = time
      best = { rows, vectors }
    }
  return best
}

/** How many rows a block of `vectors` vectors should have, where a result of m rows is no wider. */
export const chooseRows = (vectors: number, query: TileQuery): number =>
  bestRows(query.m, vectors, stepCost(query))

/** Rows of a block at most: each of them is a pointer that wants a register, too. */
const mostRows = 8

type Cost = (rows: number, vectors: number) => number

function bestRows(m: number, vectors: number, cost: Cost): number {
  let best = 1
  for (let rows = 2; rows <= Math.min(mostRows, m); rows++)
    if (split(m, rows, vectors, cost) < split(m, best, vectors, cost)) best = rows
  return best
}

/** What m rows cost in blocks of `rows`, the last one shorter. */
function split(m: number, rows: number, vectors: number, cost: Cost): number {
  const tail = m % rows
  return Math.floor(m / rows) * cost(rows, vectors) + (tail > 0 ? cost(tail, vectors) : 0)
}

/** How much more an estimate counts than it says, beside what was measured. */
const doubt = 1.1

/** Vector registers that code may use: of 16 on x64 all but one, which is the engine's, of 32 on arm64 about 27. Browsers do not tell. */
const toldRegisters = ({ x64: 15, arm64: 27 } as Partial<Record<string, number>>)[globalThis.process?.arch]

/** Where it is not told, those that every machine has. */
const usualRegisters = toldRegisters ?? 15

/** The cost of a step of k by block: measured, or estimated in cycles and brought to the scale of what was measured. */
function stepCost({ relaxed, registers = usualRegisters, measured = [] }: TileQuery): Cost {
  const known = new Map(measured.map(({ rows, vectors, nanoseconds }) => [rows * 8 + vectors, nanoseconds]))
  // The best of what was measured shows how fast the machine is, and how many registers it has.
  const best = measured.reduce<MeasuredTile | undefined>(
    (least, tile) => (least && perProduct(least) <= perProduct(tile) ? least : tile),
    undefined,
  )
  const scale = best ? (doubt * best.nanoseconds) / stepCycles(best.rows, best.vectors, relaxed) : 1
  const most = best ? Math.max(registers, needed(best.rows, best.vectors, relaxed)) : registers
  return (rows, vectors) => {
    const exact = known.get(rows * 8 + vectors)
    if (exact !== undefined) return exact
    return needed(rows, vectors, relaxed) > most ? Infinity : scale * stepCycles(rows, vectors, relaxed)
  }
}

const perProduct = ({ rows, vectors, nanoseconds }: MeasuredTile) => nanoseconds / (rows * vectors)

/** Registers that a block takes: sums, a step of B, one number of A, and a product on its way to its sum. */
const needed = (rows: number, vectors: number, relaxed: boolean) =>
  rows * vectors + vectors + (relaxed ? 1 : 2)

/**
 * Estimated cycles of one step of k: two multiply-adds a cycle, four instructions a cycle, and four cycles until
 * a sum may be used again. A broadcast counts twice, as its address is an instruction of its own.
 */
function stepCycles(rows: number, vectors: number, relaxed: boolean): number {
  const products = rows * vectors
  const arithmetic = relaxed ? products : 2 * products
  const instructions = arithmetic + vectors + 2 * rows
  return Math.max(arithmetic / 2, instructions / 4, 4) + 0.02 * instructions
}
