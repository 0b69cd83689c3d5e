// Whole rows of a product of bytes: blocks over all rows of weights, those of four together while they stay in the first cache.
import type { Stage } from '../../stage.ts'
import { overUnits } from '../../lower/odometer.ts'
import {
  call,
  i32,
  type FunctionBuilder,
  type Local,
  type ModuleBuilder,
  type Value,
} from '../../wasm/index.ts'
import { blockFunction, type BlockSpec, type Level } from './block.ts'
import type { Way } from './way.ts'

type Address = Local<'i32'>

/** A product y[row][column] = Σ x[row] · w[column]; strides are in bytes. */
export interface RowsSpec {
  readonly way: Way
  /** Rows of weights: columns of the result, of each group. */
  readonly columns: number
  /** Bytes side by side in x and weights, and loops around such runs. */
  readonly run: number
  readonly levels: readonly Level[]
  readonly xRow: number
  readonly wRow: number
  readonly yRow: number
  /** Groups of columns that see other parts of x, and the distance from one to the next in x. Those of weights and result lie close. */
  readonly groups: number
  readonly xGroup: number
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
/** Columns that are a unit where there are few rows. */
const columnsTogether = 32

/** Units of a matrix of `m` rows that lie close. */
export const matrixUnits = (m: number, xRow: number): RowUnits => ({
  sizes: [Math.ceil(m / rowsTogether)],
  steps: [rowsTogether * xRow],
  rows: Math.min(m, rowsTogether),
  lastRows: m % rowsTogether || Math.min(m, rowsTogether),
})

/** A product of m rows as a stage: by rows, or by columns where there are few rows. One group. */
export function matrixStage(
  module: ModuleBuilder,
  spec: RowsSpec,
  m: number,
  parameters: number,
  addresses: Addresses,
): Stage {
  return m > 3 * rowsTogether || spec.columns <= columnsTogether
    ? rowsStage(module, spec, matrixUnits(m, spec.xRow), parameters, addresses)
    : columnsStage(module, spec, m, parameters, addresses)
}

/** A stage of whole rows. */
export function rowsStage(
  module: ModuleBuilder,
  spec: RowsSpec,
  units: RowUnits,
  parameters: number,
  addresses: Addresses,
): Stage {
  const { groups, columns, xGroup, wRow, yRow } = spec
  const count = units.sizes.reduce((product, size) => product * size, 1)
  const func = module.define('quantized_rows', types(parameters), 'none', (f, ...locals) => {
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
        const wAt = f.let(i32.add(w, i32.mul(group, columns * wRow)))
        const yAt = f.let(i32.add(to, i32.mul(group, columns * 4)))
        const rows = (height: number) => writeRows(f, module, spec, height, columns, xAt, wAt, yAt)
        if (units.lastRows === units.rows) return rows(units.rows)
        f.if(
          i32.eq(unit, count - 1),
          () => rows(units.lastRows),
          () => rows(units.rows),
        )
      })
    })
  })
  const work = units.rows * groups * columns * workOf(spec)
  return { func, units: count, work, finishes: units.rows * groups * columns }
}

/** A stage of columns of all m rows. */
function columnsStage(
  module: ModuleBuilder,
  spec: RowsSpec,
  m: number,
  parameters: number,
  addresses: Addresses,
): Stage {
  const { columns, wRow } = spec
  const count = Math.ceil(columns / columnsTogether)
  const last = columns - (count - 1) * columnsTogether
  const func = module.define('quantized_columns', types(parameters), 'none', (f, ...locals) => {
    const [x, w, y] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Address, Address]
    const xAt = f.let(x)
    f.forRange(begin, end, 1, (unit) => {
      const wAt = f.let(i32.add(w, i32.mul(unit, columnsTogether * wRow)))
      const yAt = f.let(i32.add(y, i32.mul(unit, columnsTogether * 4)))
      const part = (width: number) => writeRows(f, module, spec, m, width, xAt, wAt, yAt)
      if (last === columnsTogether) return part(columnsTogether)
      f.if(
        i32.eq(unit, count - 1),
        () => part(last),
        () => part(columnsTogether),
      )
    })
  })
  const work = m * columnsTogether * workOf(spec)
  return { func, units: count, work, ...(m === 1 ? { finishes: columnsTogether } : {}) }
}

const types = (parameters: number) => Array.from({ length: parameters + 2 }, () => 'i32' as const)

/** A product of bytes is a sixteenth of an element's usual work. */
const workOf = ({ run, levels }: RowsSpec): number =>
  levels.reduce((product, { count }) => product * count, Math.max(1, run)) / 16

/** Blocks over `height` rows and `width` columns: for every four columns, all rows. */
function writeRows(
  f: FunctionBuilder<'none'>,
  module: ModuleBuilder,
  { way, run, levels, xRow, wRow, yRow }: RowsSpec,
  height: number,
  width: number,
  x: Address,
  w: Address,
  y: Address,
): void {
  const block = (rows: number, columns: number) => {
    const spec: BlockSpec = { product: way.product, rows, columns, run, levels, xRow, wRow, yRow }
    return blockFunction(module, spec)
  }
  const down = (columns: number, wAt: Value<'i32'>, yAt: Address) => {
    const whole = Math.floor(height / way.rows)
    f.forRange(0, whole, 1, (tile) => {
      const xTile = i32.add(x, i32.mul(tile, way.rows * xRow))
      f.do(call(block(way.rows, columns), xTile, wAt, i32.add(yAt, i32.mul(tile, way.rows * yRow))))
    })
    const [done, rest] = [whole * way.rows, height % way.rows]
    if (rest > 0) f.do(call(block(rest, columns), i32.add(x, done * xRow), wAt, i32.add(yAt, done * yRow)))
  }
  const whole = Math.floor(width / 4)
  f.forRange(0, whole, 1, (four) => {
    down(4, f.let(i32.add(w, i32.mul(four, 4 * wRow))), f.let(i32.add(y, i32.mul(four, 16))))
  })
  if (width % 4 > 0) down(width % 4, f.let(i32.add(w, whole * 4 * wRow)), f.let(i32.add(y, whole * 16)))
}
