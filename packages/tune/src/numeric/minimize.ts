// Finds a least value nearby, in a box: steps of limited memory BFGS (Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 3.1), cut off at the walls.

/** A value and its derivatives. */
export interface Slope {
  readonly value: number
  readonly gradient: Float64Array
}

/** Where and how long to search. */
export interface BoxOptions {
  readonly low: ArrayLike<number>
  readonly high: ArrayLike<number>
  /** Default 100. */
  readonly iterations?: number
  /** It is done when no step gains more. Default 1e-9. */
  readonly tolerance?: number
}

/** What was found. */
export interface Found {
  readonly at: Float64Array
  readonly value: number
}

interface Pair {
  readonly step: Float64Array
  readonly change: Float64Array
  readonly product: number
}

const memory = 8

/** Minimises `f` from `start`, in a box. Where `f` is no finite number it does not go. */
export function minimize(
  f: (at: Float64Array) => Slope,
  start: ArrayLike<number>,
  { low, high, iterations = 100, tolerance = 1e-9 }: BoxOptions,
): Found {
  const within = (x: Float64Array): Float64Array =>
    x.map((value, i) => Math.min(high[i]!, Math.max(low[i]!, value)))
  let at = within(Float64Array.from(start))
  let here = f(at)
  let pairs: Pair[] = []
  for (let iteration = 0; iteration < iterations; iteration++) {
    // Coordinates at a wall that would go through it stand still.
    const stuck = at.map((value, i) =>
      (value <= low[i]! && here.gradient[i]! > 0) || (value >= high[i]! && here.gradient[i]! < 0) ? 1 : 0,
    )
    const downhill = here.gradient.map((slope, i) => (stuck[i] ? 0 : -slope))
    let direction = quasiNewton(downhill, pairs).map((value, i) => (stuck[i] ? 0 : value))
    if (!(dot(direction, downhill) > 0)) [direction, pairs] = [downhill, []]
    const next = lineSearch(f, at, here, direction, within, pairs.length === 0)
    if (!next) break
    const gain = here.value - next.slope.value
    const step = next.at.map((value, i) => value - at[i]!)
    const change = next.slope.gradient.map((value, i) => value - here.gradient[i]!)
    const product = dot(step, change)
    if (product > 1e-12 * dot(change, change)) pairs = [...pairs.slice(1 - memory), { step, change, product }]
    at = next.at
    here = next.slope
    if (gain <= tolerance * Math.max(1, Math.abs(here.value))) break
  }
  return { at, value: here.value }
}

/** Halves the step until enough is gained: Armijo's condition, with the step as it is after the walls. */
function lineSearch(
  f: (at: Float64Array) => Slope,
  at: Float64Array,
  here: Slope,
  direction: Float64Array,
  within: (x: Float64Array) => Float64Array,
  first: boolean,
): { readonly at: Float64Array; readonly slope: Slope } | undefined {
  const length = Math.sqrt(dot(direction, direction))
  // Without a notion of curvature the length of a gradient says nothing.
  let scale = first && length > 0 ? Math.min(1, 0.1 / length) : 1
  for (let tries = 0; tries < 25; tries++, scale /= 2) {
    const there = within(at.map((value, i) => value + scale * direction[i]!))
    const expected = dot(
      here.gradient,
      there.map((value, i) => value - at[i]!),
    )
    if (expected >= 0) return undefined
    const slope = f(there)
    if (slope.value <= here.value + 1e-4 * expected) return { at: there, slope }
  }
  return undefined
}

/** Where to go, by the changes of the gradient in the last steps. */
function quasiNewton(downhill: Float64Array, pairs: readonly Pair[]): Float64Array {
  const q = Float64Array.from(downhill)
  const shares = pairs.toReversed().map((pair) => {
    const share = dot(pair.step, q) / pair.product
    addScaled(q, pair.change, -share)
    return { pair, share }
  })
  const last = pairs.at(-1)
  if (last) {
    const scale = last.product / dot(last.change, last.change)
    for (let i = 0; i < q.length; i++) q[i]! *= scale
  }
  for (const { pair, share } of shares.toReversed())
    addScaled(q, pair.step, share - dot(pair.change, q) / pair.product)
  return q
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function addScaled(to: Float64Array, x: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += factor * x[i]!
}
