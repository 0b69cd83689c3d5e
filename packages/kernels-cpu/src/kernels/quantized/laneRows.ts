// Rows of weights interleaved, so that each lane of a vector sums another result: for short sums, where adding lanes up would cost more than multiplying.
import { float32, zero } from '../../gemm/element.ts'
import { overUnits } from '../../lower/odometer.ts'
import type { Stage } from '../../stage.ts'
import {
  call,
  type Func,
  type FunctionBuilder,
  i32,
  type Local,
  type ModuleBuilder,
  type Value,
} from '../../wasm/index.ts'
import { products } from './product.ts'
import type { Rows } from './rows.ts'
import type { Way } from './way.ts'

type Address = Local<'i32'>

/** What is multiplied; distances are in bytes. */
export interface LaneSpec {
  readonly way: Way
  /** Rows of weights of a group: columns of the result. */
  readonly columns: number
  /** Bytes of a row of weights. As many of x, rounded up to whole steps of four bytes, may be read. */
  readonly depth: number
  readonly xRow: number
  readonly yRow: number
  readonly groups: number
  readonly xGroup: number
}

/** How weights are interleaved: for each panel of columns, for each few bytes of depth, those of each column side by side. */
export interface Interleaving {
  /** Bytes of a column that lie side by side, and how many such parts its depth has. */
  readonly part: number
  readonly parts: number
  /** Columns of a panel, a multiple of four, and of the last. */
  readonly columns: number
  readonly lastColumns: number
  readonly panels: number
  /** Bytes of a panel, and of all of all groups. */
  readonly panelBytes: number
  readonly bytes: number
}

/**
 * Is a sum of so many bytes, read where they lie, better computed by lanes, if its weights are constants? A second copy of them must be small, and
 * nothing behind the bytes may be read.
 */
export const suitsLanes = (depth: number): boolean => depth <= 128 && depth % 4 === 0

/** Vectors of four columns that a block has at most. */
const mostVectors = 4

/** The interleaving of a product's weights; missing columns and depths become zeros. */
export function planInterleaving({ way, columns, depth, groups }: LaneSpec): Interleaving {
  const part = products[way.product].step / 4
  const parts = Math.ceil(depth / part)
  const vectors = Math.ceil(columns / 4)
  const panels = Math.ceil(vectors / mostVectors)
  const width = Math.ceil(vectors / panels) * 4
  const panelBytes = parts * part * width
  return {
    part,
    parts,
    columns: width,
    lastColumns: columns - (panels - 1) * width,
    panels,
    panelBytes,
    bytes: groups * panels * panelBytes,
  }
}

/** A stage that interleaves the weights, a panel of a group a unit. */
export function interleaveStage(
  module: ModuleBuilder,
  spec: LaneSpec,
  parameters: number,
  addresses: (parameters: readonly Address[]) => readonly [weights: Value<'i32'>, packed: Value<'i32'>],
): Stage {
  const { columns, depth, groups } = spec
  const plan = planInterleaving(spec)
  const { part, parts, panels, panelBytes } = plan
  const types = Array.from({ length: parameters + 2 }, () => 'i32' as const)
  const func = module.define('quantized_interleave', types, 'none', (f, ...locals) => {
    const [weights, packed] = addresses(locals)
    const [begin, end] = locals.slice(-2) as [Address, Address]
    overUnits(f, [groups, panels], begin, end, ([group, panel], unit) => {
      const first = i32.add(i32.mul(group!, columns), i32.mul(panel!, plan.columns))
      const from = f.let(i32.add(weights, i32.mul(first, depth)))
      const to = f.let(i32.add(packed, i32.mul(unit, panelBytes)))
      const panelOf = (width: number) => {
        for (let column = 0; column < plan.columns; column++) {
          const source = f.let(i32.add(from, column * depth))
          const target = f.let(i32.add(to, column * part))
          const copy = (count: number) => {
            for (let i = 0; i < part; i++) {
              const inside = column < width && i < count
              f.do(i32.store8(target, inside ? i32.load8_u(source, i) : 0, i))
            }
          }
          f.forRange(0, Math.floor(depth / part), 1, () => {
            copy(part)
            f.set(source, i32.add(source, part))
            f.set(target, i32.add(target, part * plan.columns))
          })
          if (depth % part > 0) copy(depth % part)
        }
      }
      if (plan.lastColumns === plan.columns) return panelOf(plan.columns)
      f.if(
        i32.eq(panel!, panels - 1),
        () => panelOf(plan.lastColumns),
        () => panelOf(plan.columns),
      )
    })
  })
  return { func, units: groups * panels, work: plan.columns * parts * part }
}

/** The rows of a product with interleaved weights. */
export function laneRows(module: ModuleBuilder, spec: LaneSpec): Rows {
  const { way, columns, depth, groups, xRow, xGroup, yRow } = spec
  const plan = planInterleaving(spec)
  return {
    columns,
    groups,
    xGroup,
    wGroup: plan.panels * plan.panelBytes,
    yRow,
    work: depth / 16,
    write(f, height, x, w, y) {
      const panel = (width: number, wAt: Address, yAt: Address) => {
        const whole = Math.floor(height / way.rows)
        f.forRange(0, whole, 1, (tile) => {
          const xTile = i32.add(x, i32.mul(tile, way.rows * xRow))
          const block = blockFunction(module, spec, plan, way.rows, width)
          f.do(call(block, xTile, wAt, i32.add(yAt, i32.mul(tile, way.rows * yRow))))
        })
        const [done, rest] = [whole * way.rows, height % way.rows]
        if (rest > 0) {
          const block = blockFunction(module, spec, plan, rest, width)
          f.do(call(block, i32.add(x, done * xRow), wAt, i32.add(yAt, done * yRow)))
        }
      }
      const at = (index: Value<'i32'> | number) =>
        [
          f.let(i32.add(w, i32.mul(index, plan.panelBytes))),
          f.let(i32.add(y, i32.mul(index, plan.columns * 4))),
        ] as const
      f.forRange(0, plan.panels - 1, 1, (index) => panel(plan.columns, ...at(index)))
      panel(plan.lastColumns, ...at(plan.panels - 1))
    },
  }
}

/** A block: addresses of x, of a panel of interleaved weights, and of the result. */
function blockFunction(
  module: ModuleBuilder,
  { way, xRow, yRow }: LaneSpec,
  plan: Interleaving,
  rows: number,
  columns: number,
): Func<readonly ['i32', 'i32', 'i32'], 'none'> {
  const key = JSON.stringify([way.product, xRow, yRow, plan, rows, columns])
  return module.once(`quantized lanes ${key}`, () =>
    module.define(`quantized_lanes_${rows}x${columns}`, ['i32', 'i32', 'i32'], 'none', (f, x, w, y) => {
      const sums = Array.from({ length: rows }, () =>
        Array.from({ length: plan.columns / 4 }, () => f.local('v128')),
      )
      sumUp(f, way, plan, sums, x, w, xRow)
      sums.forEach((row, i) =>
        row.forEach((sum, v) => {
          const count = Math.min(4, columns - 4 * v)
          if (count > 0) f.do(...float32.store(y, sum, count, i * yRow + 16 * v))
        }),
      )
    }),
  )
}

/** Parts of the depth in one round of the loop: offsets stay below 128, which makes instructions short, and machines fetch them faster. */
const unroll = 2

function sumUp(
  f: FunctionBuilder<'none'>,
  { product }: Way,
  { part, parts, columns }: Interleaving,
  sums: readonly (readonly Local<'v128'>[])[],
  x: Address,
  w: Address,
  xRow: number,
): void {
  const { step, load, splat, activate, add } = products[product]
  const none = f.constant(zero)
  const activations = sums.map(() => f.local('v128'))
  const weights = f.local('v128')
  // For the same reason every row has an address of its own.
  const rows = sums.map((_, i) => f.let(i32.add(x, i * xRow)))
  const steps = (count: number) => {
    for (let u = 0; u < count; u++) {
      activations.forEach((row, i) => f.set(row, activate(splat(rows[i]!, u * part), none)))
      for (let v = 0; v < columns / 4; v++) {
        f.set(weights, load(w, u * part * columns + v * step))
        sums.forEach((row, i) => f.set(row[v]!, add(row[v]!, activations[i]!, weights)))
      }
    }
  }
  f.forRange(0, Math.floor(parts / unroll), 1, () => {
    steps(unroll)
    for (const row of rows) f.set(row, i32.add(row, unroll * part))
    f.set(w, i32.add(w, unroll * part * columns))
  })
  steps(parts % unroll)
}
