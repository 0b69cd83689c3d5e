// A line of targets cut into tiles that are kept in registers: what each tile meets is known when code is written, edges and all.
import { type Axis, meetingsOf, targetsOf } from './axis.ts'

/** A source column of a tile with the targets that meet it; both are counted from the first of the tile. */
export interface Column {
  readonly source: number
  readonly meetings: readonly { readonly target: number; readonly tap: number }[]
}

/** What the targets of a tile meet: equal patterns share their code. */
export interface Pattern {
  readonly targets: number
  readonly columns: readonly Column[]
}

/** Tiles of one pattern, at equal distances. */
export interface Run {
  readonly pattern: Pattern
  readonly count: number
  /** The first target and the first source column of the first tile. */
  readonly target: number
  readonly source: number
  /** From one tile to the next. */
  readonly targetStep: number
  readonly sourceStep: number
}

interface Tile {
  readonly pattern: Pattern
  readonly key: string
  readonly target: number
  readonly source: number
}

/** Cuts the targets of an axis into tiles of at most `width` (about: as many as needed to repeat a pattern), and those into runs. */
export function runsOf(axis: Axis, width: number): Run[] {
  const targets = targetsOf(axis)
  const period = axis.targets === 'elements' ? axis.stride : 1
  const even = Math.ceil(targets / Math.max(1, Math.ceil(targets / width)))
  const size = period > width ? width : Math.floor(width / period) * period
  const step = Math.min(size, Math.ceil(even / period) * period)
  const tiles: Tile[] = []
  for (let first = 0; first < targets; first += step)
    tiles.push(tileAt(axis, first, Math.min(step, targets - first)))
  return tiles.reduce<Run[]>((runs, tile, i) => {
    const run = runs.at(-1)
    const before = tiles[i - 1]
    if (run && before?.key === tile.key) {
      const sourceStep = tile.source - before.source
      if (run.count === 1 || run.sourceStep === sourceStep) {
        runs[runs.length - 1] = { ...run, count: run.count + 1, sourceStep }
        return runs
      }
    }
    const { pattern, target, source } = tile
    runs.push({ pattern, target, source, count: 1, targetStep: step, sourceStep: 0 })
    return runs
  }, [])
}

function tileAt(axis: Axis, first: number, targets: number): Tile {
  const met = Array.from({ length: targets }, (_, target) =>
    meetingsOf(axis, first + target).map(({ source, tap }) => ({ source, target, tap })),
  ).flat()
  const source = Math.min(...met.map((meeting) => meeting.source))
  const base = met.length > 0 ? source : 0
  const places = [...new Set(met.map((meeting) => meeting.source))].sort((a, b) => a - b)
  const columns = places.map((place) => ({
    source: place - base,
    meetings: met.filter((meeting) => meeting.source === place).map(({ target, tap }) => ({ target, tap })),
  }))
  const pattern = { targets, columns }
  return { pattern, key: JSON.stringify(pattern), target: first, source: base }
}
