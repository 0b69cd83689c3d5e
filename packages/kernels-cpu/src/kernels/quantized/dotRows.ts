// Rows of weights as they lie in memory: each result is the sum of the lanes of a vector. For long runs, and where weights are used once.
import type { Stage } from '../../stage.ts'
import {
  call,
  i32,
  type FunctionBuilder,
  type Local,
  type ModuleBuilder,
  type Value,
} from '../../wasm/index.ts'
import { blockFunction, type BlockSpec, type Level } from './block.ts'
import { type Addresses, matrixUnits, type Rows, rowsStage } from './rows.ts'
import type { Way } from './way.ts'

type Address = Local<'i32'>

/** What is multiplied; distances are in bytes. */
export interface DotSpec {
  readonly way: Way
  /** Rows of weights: columns of the result, of each group. */
  readonly columns: number
  /** Bytes side by side in x and weights, and loops around such runs. */
  readonly run: number
  readonly levels: readonly Level[]
  readonly xRow: number
  readonly wRow: number
  readonly yRow: number
  readonly groups: number
  readonly xGroup: number
}

/** Columns that are a unit where there are few rows. */
const columnsTogether = 32
/** Fewer rows than these are cut by columns. */
const fewRows = 48

/** The rows of a product. */
export const dotRows = (module: ModuleBuilder, spec: DotSpec): Rows => ({
  columns: spec.columns,
  groups: spec.groups,
  xGroup: spec.xGroup,
  wGroup: spec.columns * spec.wRow,
  yRow: spec.yRow,
  work: workOf(spec),
  write: (f, height, x, w, y) => writeRows(f, module, spec, height, spec.columns, x, w, y),
})

/** A product of a matrix of m rows as a stage: by rows, or by columns where there are few rows. One group. */
export function matrixStage(
  module: ModuleBuilder,
  spec: DotSpec,
  m: number,
  parameters: number,
  addresses: Addresses,
): Stage {
  return m > fewRows || spec.columns <= columnsTogether
    ? rowsStage(module, dotRows(module, spec), matrixUnits(m, spec.xRow), parameters, addresses)
    : columnsStage(module, spec, m, parameters, addresses)
}

/** A stage of columns of all m rows. */
function columnsStage(
  module: ModuleBuilder,
  spec: DotSpec,
  m: number,
  parameters: number,
  addresses: Addresses,
): Stage {
  const { columns, wRow } = spec
  const count = Math.ceil(columns / columnsTogether)
  const last = columns - (count - 1) * columnsTogether
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('quantized_columns', types, 'none', (f, ...locals) => {
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

/** A product of bytes is a sixteenth of an element's usual work. */
const workOf = ({ run, levels }: DotSpec): number =>
  levels.reduce((product, { count }) => product * count, Math.max(1, run)) / 16

/** Blocks over `height` rows and `width` columns: for every four columns, which stay in the first cache, all rows. */
function writeRows(
  f: FunctionBuilder<'none'>,
  module: ModuleBuilder,
  { way, run, levels, xRow, wRow, yRow }: DotSpec,
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
