// Products by tiles: a workgroup computes a tile of the result out of tiles of both operands, which it fetches while it multiplies those before.
import { counters } from '../../lower/map.ts'
import type { Stage } from '../../stage.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { multiplyAdd } from './arithmetic.ts'
import { OperandReader, useOf } from './operand.ts'
import type { Product } from './product.ts'
import type { Result } from './result.ts'
import { lanesOf, type TiledSchedule } from './schedule.ts'
import { TileSide } from './tileSide.ts'
import { sizeOf } from '@shoal/core'

/** The stage that computes all sums, or, if k is split, their parts. */
export function tiledStage(product: Product, schedule: TiledSchedule, result: Result): Stage {
  const { batches, m, n } = product
  const grid = [...batches, schedule.splits, Math.ceil(m / schedule.tile[0]), Math.ceil(n / schedule.tile[1])]
  return {
    buffers: [useOf(product.a, true), useOf(product.b, true), ...result.uses],
    groups: sizeOf(grid),
    lanes: lanesOf(schedule),
    write: (shader) => writeTiled(shader, product, schedule, result, counters(shader, 'group', grid)),
  }
}

function writeTiled(
  shader: Shader,
  product: Product,
  schedule: TiledSchedule,
  result: Result,
  position: readonly string[],
): void {
  const { a, b, k, m, n, arithmetic } = product
  const { tile, perLane, depth, splits } = schedule
  const batch = position.slice(0, -3)
  const [split, tileRow, tileColumn] = position.slice(-3) as [string, string, string]
  const across = tile[1] / perLane[1]
  const lanes = lanesOf(schedule)
  const common = { element: arithmetic.element, depth, lanes, ragged: k % depth !== 0 }
  const rows = new TileSide(shader, {
    ...common,
    reader: new OperandReader(shader, shader.memory(0), a, arithmetic, batch),
    along: a.along,
    extent: tile[0],
    perLane: perLane[0],
    tile: tileRow,
    position: shader.let(`lane / ${across}`),
  })
  const columns = new TileSide(shader, {
    ...common,
    reader: new OperandReader(shader, shader.memory(1), b, arithmetic, batch),
    along: b.along,
    extent: tile[1],
    perLane: perLane[1],
    tile: tileColumn,
    position: shader.let(`lane % ${across}`),
  })
  const sums = Array.from({ length: perLane[0] }, () =>
    Array.from({ length: perLane[1] / 4 }, () => shader.variable(`vec4<${arithmetic.sum}>`)),
  )
  const part = Math.ceil(k / splits / depth) * depth
  const begin = split === '0' ? '0' : shader.let(`${split} * ${part}`)
  const end = split === '0' ? `${k}` : shader.let(`min(${begin} + ${part}, ${k})`)
  // Each round fetches a tile while it multiplies the one before.
  shader.loop(`${begin} - ${depth}`, end, `${depth}`, (step) => {
    const next = shader.let(`${step} + ${depth}`)
    shader.block(`if (${next} < ${end})`, () => [rows, columns].forEach((side) => side.fetch(next)))
    shader.block(`if (${step} >= ${begin})`, () =>
      shader.loop('0', `${depth / 4}`, '1', (quad) => {
        rows.read(quad)
        columns.read(quad)
        for (let k = 0; k < 4; k++) {
          rows.readStep(quad, k)
          columns.readStep(quad, k)
          sums.forEach((row, i) =>
            row.forEach((sum, j) =>
              multiplyAdd(shader, arithmetic, sum, rows.one(i, k), columns.four(j, k), 4),
            ),
          )
        }
      }),
    )
    shader.barrier()
    rows.lay()
    columns.lay()
    shader.barrier()
  })
  store(
    shader,
    { sums, rows, columns, sizes: [m, n], tile, batch: flat(shader, product, batch), type: arithmetic.sum },
    result.width,
    (index, values) => result.store(shader, 2, split, index, values),
  )
}

/** The number of a batch out of its position along each axis: undefined where there is one only. */
function flat(shader: Shader, { batches }: Product, batch: readonly string[]): string | undefined {
  const terms = batches.flatMap((_, axis) =>
    batch[axis] === '0' ? [] : [`${batch[axis]!} * ${sizeOf(batches.slice(axis + 1))}`],
  )
  return terms.length === 0 ? undefined : shader.let(terms.join(' + '))
}

interface Finished {
  readonly sums: readonly (readonly string[])[]
  readonly rows: TileSide
  readonly columns: TileSide
  readonly sizes: readonly [m: number, n: number]
  readonly tile: readonly [rows: number, columns: number]
  readonly batch: string | undefined
  readonly type: string
}

/** Stores a lane's sums row by row: what follows them, an epilogue perhaps, is written for one row only. */
function store(
  shader: Shader,
  { sums, rows, columns, sizes: [m, n], tile, batch, type }: Finished,
  width: Result['width'],
  put: (index: string, sums: readonly string[]) => void,
): void {
  shader.loop('0', `${sums.length}`, '1', (i) => {
    const row = sums[0]!.map(() => shader.variable(`vec4<${type}>`))
    shader.block(`switch ${i}`, () =>
      sums.forEach((values, k) => {
        const label = k === sums.length - 1 ? 'default' : `case ${k}`
        shader.line(`${label}: { ${values.map((value, j) => `${row[j]!} = ${value};`).join(' ')} }`)
      }),
    )
    const at = shader.let(rows.index(i))
    const storeRow = (): void => {
      const first = shader.let(`${batch === undefined ? '' : `${batch} * ${m * n} + `}${at} * ${n}`)
      for (let j = 0; j < 4 * row.length; j += width) {
        const column = shader.let(columns.index(j))
        const values = Array.from({ length: width }, (_, k) => `${row[Math.floor(j / 4)]!}[${(j + k) % 4}]`)
        const storeOne = (): void => put(shader.let(`${first} + ${column}`), values)
        if (n % tile[1] === 0) storeOne()
        else shader.block(`if (${column} < ${n})`, storeOne)
      }
    }
    if (m % tile[0] === 0) storeRow()
    else shader.block(`if (${at} < ${m})`, storeRow)
  })
}
