// Strokes of a pen as the picture that the network knows: white on black, 20 pixels high or wide, its weight in the middle of 28 × 28.
// That is how the digits of MNIST were prepared (LeCun, Bottou, Bengio and Haffner, 1998, section III.A).

/** A place on the paper, in any unit. */
export interface Point {
  readonly x: number
  readonly y: number
}
/** Where the pen went between touching the paper and leaving it. */
export type Stroke = readonly Point[]

/** Pixels along each side. */
export const imageSize = 28
const digitSize = 20
/** Half of the pen's width in pixels, with which digits look as bold as those of the data. */
const penRadius = 1.1

/** Grey values 0 to 255 row by row, [28, 28]; all 0 where nothing is drawn. */
export function digitImage(strokes: readonly Stroke[]): Uint8Array<ArrayBuffer> {
  const points = strokes.flat()
  if (points.length === 0) return new Uint8Array(imageSize ** 2)
  const fitted = fit(strokes, points)
  const [dx, dy] = fromMiddle(paint(fitted))
  return paint(moved(fitted, -dx, -dy))
}

/** The same strokes, scaled so that the longer side of what they cover, with the pen's width, is 20 pixels, around the middle. */
function fit(strokes: readonly Stroke[], points: readonly Point[]): readonly Stroke[] {
  const [left, right] = range(points.map(({ x }) => x))
  const [top, bottom] = range(points.map(({ y }) => y))
  const extent = Math.max(right - left, bottom - top)
  // A dot stays a dot.
  const scale = extent === 0 ? 0 : (digitSize - 2 * penRadius) / extent
  const place = ({ x, y }: Point): Point => ({
    x: imageSize / 2 + (x - (left + right) / 2) * scale,
    y: imageSize / 2 + (y - (top + bottom) / 2) * scale,
  })
  return strokes.map((stroke) => stroke.map(place))
}

function range(values: readonly number[]): readonly [least: number, most: number] {
  return values.reduce<readonly [number, number]>(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Infinity, -Infinity],
  )
}

const moved = (strokes: readonly Stroke[], dx: number, dy: number): readonly Stroke[] =>
  strokes.map((stroke) => stroke.map(({ x, y }) => ({ x: x + dx, y: y + dy })))

/** How far the centre of mass is from the middle. */
function fromMiddle(pixels: Uint8Array): readonly [dx: number, dy: number] {
  let [mass, x, y] = [0, 0, 0]
  pixels.forEach((grey, i) => {
    mass += grey
    x += grey * ((i % imageSize) + 0.5)
    y += grey * (Math.floor(i / imageSize) + 0.5)
  })
  return [x / mass - imageSize / 2, y / mass - imageSize / 2]
}

/** Each pixel as grey as the nearest stroke is near: white within the pen's radius, fading over one pixel. */
function paint(strokes: readonly Stroke[]): Uint8Array<ArrayBuffer> {
  const pixels = new Uint8Array(imageSize ** 2)
  for (const stroke of strokes)
    stroke.forEach((end, i) => {
      const start = stroke[Math.max(0, i - 1)]!
      for (let at = 0; at < pixels.length; at++) {
        const centre = { x: (at % imageSize) + 0.5, y: Math.floor(at / imageSize) + 0.5 }
        const cover = penRadius + 0.5 - distance(centre, start, end)
        pixels[at] = Math.max(pixels[at]!, Math.round(255 * Math.min(1, Math.max(0, cover))))
      }
    })
  return pixels
}

/** From a point to a segment. */
function distance(p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const length2 = dx * dx + dy * dy
  const along = length2 === 0 ? 0 : ((p.x - a.x) * dx + (p.y - a.y) * dy) / length2
  const t = Math.min(1, Math.max(0, along))
  return Math.hypot(p.x - a.x - t * dx, p.y - a.y - t * dy)
}
