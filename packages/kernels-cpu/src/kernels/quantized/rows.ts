// Whole rows of a product of bytes as a stage: which rows a unit has, and where its operands lie.
import type { Stage } from '../../stage.ts'
import { overUnits } from '../../lower/odometer.ts'
import { i32, type FunctionBuilder, type Local, type ModuleBuilder, type Value } from '../../wasm/index.ts'

type Address = Local<'i32'>

/** A product y[row][column] = Σ x[row] · w[column], in groups of columns that see other parts of x; distances are in bytes. */
export interface Rows {
  /** Columns of each group. */
  readonly columns: number
  readonly groups: number
  /** From one group to the next in x and in the weights; those of the result lie close. */
  readonly xGroup: number
  readonly wGroup: number
  /** From one row of the result to the next. */
  readonly yRow: number
  /** What an element costs, as stages count work. */
  readonly work: number
  /** Writes the code for so many rows of one group. */
  readonly write: (f: FunctionBuilder<'none'>, height: number, x: Address, w: Address, y: Address) => void
}

/** How rows are dealt out: a unit has `rows` of them, the last one perhaps fewer; they begin at steps (in bytes of x) along each axis. */
export interface RowUnits {
  readonly sizes: readonly number[]
  readonly steps: readonly number[]
  readonly rows: number
  readonly lastRows: number
}

/** Picks the addresses of x, the weights and the result out of a kernel's parameters. */
export type Addresses = (
  parameters: readonly Address[],
) => readonly [x: Value<'i32'>, w: Value<'i32'>, y: Value<'i32'>]

/** Rows that are computed together: their activations stay in the first cache while all weights pass by. */
const rowsTogether = 16

/** Units of a matrix of `m` rows, `xRow` bytes apart. */
export const matrixUnits = (m: number, xRow: number): RowUnits => ({
  sizes: [Math.ceil(m / rowsTogether)],
  steps: [rowsTogether * xRow],
  rows: Math.min(m, rowsTogether),
  lastRows: m % rowsTogether || Math.min(m, rowsTogether),
})

/** A stage of whole rows. */
export function rowsStage(
  module: ModuleBuilder,
  { columns, groups, xGroup, wGroup, yRow, work, write }: Rows,
  units: RowUnits,
  parameters: number,
  addresses: Addresses,
): Stage {
  const count = units.sizes.reduce((product, size) => product * size, 1)
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('quantized_rows', types, 'none', (f, ...locals) => {
    const [x, w, y] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Address, Address]
    overUnits(f, units.sizes, begin, end, (counters, unit) => {
      const from = f.let(
        counters.reduce<Value<'i32'>>(
          (at, counter, axis) => i32.add(at, i32.mul(counter, units.steps[axis]!)),
          x,
        ),
      )
      const to = f.let(i32.add(y, i32.mul(unit, units.rows * yRow)))
      f.forRange(0, groups, 1, (group) => {
        const xAt = f.let(i32.add(from, i32.mul(group, xGroup)))
        const wAt = f.let(i32.add(w, i32.mul(group, wGroup)))
        const yAt = f.let(i32.add(to, i32.mul(group, columns * 4)))
        if (units.lastRows === units.rows) return write(f, units.rows, xAt, wAt, yAt)
        f.if(
          i32.eq(unit, count - 1),
          () => write(f, units.lastRows, xAt, wAt, yAt),
          () => write(f, units.rows, xAt, wAt, yAt),
        )
      })
    })
  })
  const elements = units.rows * groups * columns
  return { func, units: count, work: elements * work, finishes: elements }
}
