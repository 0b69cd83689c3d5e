// A curve as braille letters: each is a grid of two by four dots, so that a small plot has eight times as many points as letters.

/** What a plot shows. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** How large a plot is, in letters. */
export interface PlotSize {
  readonly columns: number
  readonly rows: number
}

/** A plot, and what its edges stand for. */
export interface Plot {
  /** From top to bottom, each of as many letters. */
  readonly lines: readonly string[]
  readonly low: number
  readonly high: number
}

/** U+2800 is the empty letter; each dot is one bit of what is added to it. Dots by column, from top to bottom. */
const blank = 0x2800
const dots = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const

/** Draws points, joined in the order in which they are given. What is not finite is left out, and leaves a gap. */
export function braillePlot(points: readonly Point[], { columns, rows }: PlotSize): Plot {
  const finite = points.filter(isFinitePoint)
  const cells = Array.from({ length: rows }, () => new Uint8Array(columns))
  if (finite.length === 0) return { lines: cells.map(textOf), low: 0, high: 0 }
  const [left, right] = rangeOf(finite.map(({ x }) => x))
  const [low, high] = rangeOf(finite.map(({ y }) => y))
  const across = 2 * columns - 1
  const down = 4 * rows - 1
  const place = ({ x, y }: Point): readonly [number, number] => [
    right > left ? Math.round(((x - left) / (right - left)) * across) : 0,
    // A flat curve runs through the middle.
    high > low ? Math.round(((high - y) / (high - low)) * down) : Math.round(down / 2),
  ]
  let before: readonly [number, number] | undefined
  for (const point of points) {
    if (!isFinitePoint(point)) {
      before = undefined
      continue
    }
    const here = place(point)
    for (const [x, y] of between(before ?? here, here)) cells[y >> 2]![x >> 1]! |= dots[x & 1]![y & 3]!
    before = here
  }
  return { lines: cells.map(textOf), low, high }
}

const isFinitePoint = ({ x, y }: Point): boolean => Number.isFinite(x) && Number.isFinite(y)

const textOf = (cells: Uint8Array): string => String.fromCodePoint(...[...cells].map((bits) => blank + bits))

function rangeOf(values: readonly number[]): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  return [low, high]
}

/** The dots of a straight line: as many as the longer of its two sides. */
function* between(
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
): Generator<readonly [number, number]> {
  const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1)
  for (let i = 0; i <= steps; i++) {
    const part = i / steps
    yield [Math.round(x0 + part * (x1 - x0)), Math.round(y0 + part * (y1 - y0))]
  }
}
