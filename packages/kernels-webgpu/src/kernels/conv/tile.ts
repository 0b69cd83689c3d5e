// Writes a tile of a matrix product: slices of both matrices pass through workgroup memory, sums stay in registers, and leave in rows.
import type { ScalarType } from '../../wgsl/representation.ts'
import type { Shader } from '../../wgsl/shader.ts'
import { type Elements, fourElements, type Part, plus, times } from './part.ts'
import { lanesOf, type Tiling, vectorsOf } from './schedule.ts'

/** One of the two matrices: a side (its rows or columns that are kept) and the depth that is summed over. */
export interface Matrix {
  readonly elements: Elements
  /** Along which of the two do neighbours stand side by side in memory? They are read, and kept, four at a time. */
  readonly along: 'side' | 'depth'
  /** The part that a position of the side has: of an element, or the parts of four neighbours (one if read together). */
  readonly side: (position: string) => readonly Part[]
  readonly depth: (position: string) => readonly Part[]
}

/** Where a tile is. */
export interface TilePlace {
  /** Which tile of rows, and of columns. */
  readonly row: string
  readonly column: string
  /** The terms that are summed: `begin` is a multiple of the tiling's depth. */
  readonly begin: string
  readonly end: string
}

/** What a lane knows of the tile. */
interface Lane {
  /** Lanes side by side along rows and columns, and which of them this is. */
  readonly down: number
  readonly across: number
  readonly row: string
  readonly column: string
}

const components = ['x', 'y', 'z', 'w'] as const

/**
 * Writes a tile. All lanes of the workgroup must come here, and none may have left.
 * @param store called once, to write what becomes of an element; rows and columns beyond those of the matrices come too.
 */
export function writeTile(
  shader: Shader,
  tiling: Tiling,
  type: ScalarType,
  [left, right]: readonly [left: Matrix, right: Matrix],
  { row, column, begin, end }: TilePlace,
  store: (row: string, column: string, value: string) => void,
): void {
  const { rows, columns, depth, laneRows, laneColumns } = tiling
  const memory = shader.shared(`array<vec4<${type}>, ${vectorsOf(tiling)}>`)
  const behind = rows * (depth / 4 + 1)
  const loads = [
    loader(shader, tiling, type, left, rows, row, memory, 0),
    loader(shader, tiling, type, right, columns, column, memory, behind),
  ]
  const [down, across] = [rows / laneRows, columns / laneColumns]
  const lane: Lane = {
    down,
    across,
    row: shader.let(`lane / ${across}`),
    column: shader.let(`lane % ${across}`),
  }
  const sums = Array.from({ length: (laneRows * laneColumns) / 4 }, () => shader.variable(`vec4<${type}>`))
  // Every round fetches the slices of the next while it multiplies its own; one before the first has none.
  shader.loop(`${begin} - ${depth}`, end, `${depth}`, (own) => {
    const next = shader.let(`${own} + ${depth}`)
    shader.block(`if (${next} < ${end})`, () => loads.forEach(({ fetch }) => fetch(next)))
    shader.block(`if (${own} >= ${begin})`, () =>
      shader.loop('0', `${depth / 4}`, '1', (quad) =>
        multiply(shader, tiling, [left, right], lane, memory, behind, quad, sums),
      ),
    )
    shader.barrier()
    loads.forEach(({ lay }) => lay())
    shader.barrier()
  })
  leave(shader, tiling, [left, right], lane, memory, sums, (r, c, value) =>
    store(shader.let(plus(times(row, rows), r)), shader.let(plus(times(column, columns), c)), value),
  )
}

/** Vectors from one row of a slice in workgroup memory to the next. Those that lie along the depth are an odd number apart: lanes that read different rows find them in different banks. */
const pitch = (along: Matrix['along'], extent: number, { depth }: Tiling): number =>
  along === 'depth' ? depth / 4 + 1 : extent / 4

/** How a lane brings its share of a matrix into workgroup memory. */
interface Loader {
  /** Reads a slice, from this depth on, into registers. */
  readonly fetch: (first: string) => void
  /** Lays it down. */
  readonly lay: () => void
}

/** Writes what lanes know beforehand of their share of a matrix: all that stays the same from slice to slice. */
function loader(
  shader: Shader,
  tiling: Tiling,
  type: ScalarType,
  { along, elements, side, depth }: Matrix,
  extent: number,
  tile: string,
  memory: string,
  base: number,
): Loader {
  const lanes = lanesOf(tiling)
  const quads = (along === 'depth' ? tiling.depth : extent) / 4
  const lines = along === 'depth' ? extent : tiling.depth
  const [quad, line] = [shader.let(`lane % ${quads}`), shader.let(`lane / ${quads}`)]
  const perPass = lanes / quads
  const passes = Array.from({ length: Math.max(1, lines / perPass) }, (_, pass) =>
    pass === 0 ? line : shader.let(`${line} + ${pass * perPass}`),
  )
  const registers = passes.map(() => shader.variable(`vec4<${type}>`))
  const sides =
    along === 'depth'
      ? passes.map((pass) => side(shader.let(plus(times(tile, extent), pass))))
      : [side(shader.let(plus(times(tile, extent / 4), quad)))]
  const step = pitch(along, extent, tiling)
  const own = (body: () => void): void => {
    if (perPass > lines) shader.block(`if (lane < ${lines * quads})`, body)
    else body()
  }
  const fetch = (first: string): void => {
    const depths =
      along === 'depth'
        ? [depth(shader.let(`${first} / 4 + ${quad}`))]
        : passes.map((pass) => depth(shader.let(`${first} + ${pass}`)))
    registers.forEach((register, pass) => {
      const [neighbours, other] =
        along === 'depth' ? [depths[0]!, sides[pass]![0]!] : [sides[0]!, depths[pass]![0]!]
      shader.line(`${register} = ${fourElements(shader, elements, neighbours, other)};`)
    })
  }
  const lay = (): void =>
    registers.forEach((register, pass) =>
      shader.line(`${memory}[${plus(`${base}`, times(passes[pass]!, step), quad)}] = ${register};`),
    )
  return { fetch: (first) => own(() => fetch(first)), lay: () => own(lay) }
}

/** Adds four terms to each sum of a lane. */
function multiply(
  shader: Shader,
  tiling: Tiling,
  [left, right]: readonly [Matrix, Matrix],
  { down, across, row, column }: Lane,
  memory: string,
  behind: number,
  quad: string,
  sums: readonly string[],
): void {
  const { rows, columns, laneRows, laneColumns } = tiling
  const a = vectors(shader, left, laneRows, down, row, pitch(left.along, rows, tiling), memory, 0, quad)
  const b = vectors(
    shader,
    right,
    laneColumns,
    across,
    column,
    pitch(right.along, columns, tiling),
    memory,
    behind,
    quad,
  )
  for (let k = 0; k < 4; k++)
    for (let j = 0; j < laneColumns / 4; j++) {
      const several = shader.let(
        right.along === 'side'
          ? b[k]![j]!
          : `vec4(${[0, 1, 2, 3].map((n) => `${b[4 * j + n]![0]}.${components[k]}`).join(', ')})`,
      )
      for (let i = 0; i < laneRows; i++) {
        const one =
          left.along === 'side'
            ? `${a[k]![Math.floor(i / 4)]}.${components[i % 4]}`
            : `${a[i]![0]}.${components[k]}`
        shader.line(`${sums[(i * laneColumns) / 4 + j]} += ${one} * ${several};`)
      }
    }
}

/** A lane's elements of four steps of the depth: for every step the vectors along the side, or for every element of the side one along the depth. */
function vectors(
  shader: Shader,
  { along }: Matrix,
  own: number,
  lanes: number,
  lane: string,
  step: number,
  memory: string,
  base: number,
  quad: string,
): string[][] {
  if (along === 'depth') {
    const first = shader.let(`${base} + ${lane} * ${step} + ${quad}`)
    return Array.from({ length: own }, (_, i) => [shader.let(`${memory}[${first} + ${i * lanes * step}]`)])
  }
  const first = shader.let(`${base} + ${quad} * ${4 * step} + ${lane}`)
  return [0, 1, 2, 3].map((k) =>
    Array.from({ length: own / 4 }, (_, i) => shader.let(`${memory}[${first} + ${k * step + i * lanes}]`)),
  )
}

/** Brings the sums into workgroup memory, and from there to `store` so that neighbouring lanes have neighbouring elements. */
function leave(
  shader: Shader,
  tiling: Tiling,
  [left, right]: readonly [Matrix, Matrix],
  { down, across, row, column }: Lane,
  memory: string,
  sums: readonly string[],
  store: (row: string, column: string, value: string) => void,
): void {
  const { rows, columns, laneRows, laneColumns } = tiling
  for (let i = 0; i < laneRows; i++) {
    const own =
      left.along === 'side'
        ? `4 * ${row} + ${4 * down * Math.floor(i / 4) + (i % 4)}`
        : `${row} + ${i * down}`
    const first = shader.let(`(${own}) * ${columns / 4} + ${column}`)
    for (let j = 0; j < laneColumns / 4; j++)
      shader.line(`${memory}[${first} + ${j * across}] = ${sums[(i * laneColumns) / 4 + j]};`)
  }
  shader.barrier()
  shader.loop('lane', `${rows * columns}`, `${lanesOf(tiling)}`, (element) => {
    const r = shader.let(`${element} / ${columns}`)
    const c = shader.let(`${element} % ${columns}`)
    const [vector, component] =
      right.along === 'side'
        ? [`${c} / 4`, `${c} % 4`]
        : [`${c} / ${4 * across} * ${across} + ${c} % ${across}`, `${c} / ${across} % 4`]
    store(r, c, `${memory}[${r} * ${columns / 4} + ${vector}][${component}]`)
  })
}
