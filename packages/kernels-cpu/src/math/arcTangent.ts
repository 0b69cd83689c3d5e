// Inverse tangents: the quotient is brought within tan(π/8) of 0 by turning the point, an odd polynomial does the rest.
import { f32x4, i32x4, type Local, v128 } from '../wasm/index.ts'
import type { LaneFunction, LaneFunction2, Lanes, Vector } from './lanes.ts'

/** (atan q - q) / q³ in q² for |q| ≤ tan(π/8); coefficients of Cephes' atanf. */
const tangentRest = [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1]

/** The angle of (b, a) in the first quadrant, for a, b ≥ 0 that do not overflow when added. */
function angle(lanes: Lanes, a: Local<'v128'>, b: Local<'v128'>): Vector {
  const steep = lanes.let(f32x4.gt(a, f32x4.mul(b, lanes.number(Math.tan((3 * Math.PI) / 8)))))
  const middle = lanes.let(f32x4.gt(a, f32x4.mul(b, lanes.number(Math.tan(Math.PI / 8)))))
  const choose = (first: Vector, second: Vector, third: Vector) =>
    lanes.select(steep, first, lanes.select(middle, second, third))
  const numerator = choose(f32x4.neg(b), f32x4.sub(a, b), a)
  const denominator = choose(a, f32x4.add(a, b), b)
  // Equal sizes, both 0 and both infinite among them, have no quotient or 0.
  const quotient = v128.andnot(f32x4.div(numerator, denominator), f32x4.eq(a, b))
  const q = lanes.let(quotient)
  const square = lanes.let(f32x4.mul(q, q))
  const base = choose(lanes.number(Math.PI / 2), lanes.number(Math.PI / 4), lanes.number(0))
  return f32x4.add(base, lanes.multiplyAdd(f32x4.mul(q, square), lanes.polynomial(square, tangentRest), q))
}

/** Inverse tangent. At most 3 ulp. */
export const atan: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  return v128.or(angle(lanes, lanes.let(lanes.abs(x)), lanes.number(1)), lanes.sign(x))
}

/** The angle of the point (x, y), from -π to π, with zeros and infinities as in JavaScript. At most 3 ulp. */
export const atan2: LaneFunction2 = (lanes, ordinate, abscissa) => {
  const y = lanes.let(ordinate)
  const x = lanes.let(abscissa)
  const sizes = [lanes.let(lanes.abs(y)), lanes.let(lanes.abs(x))] as const
  const huge = lanes.let(f32x4.gt(f32x4.pmax(...sizes), lanes.number(2 ** 100)))
  const scale = lanes.let(lanes.select(huge, lanes.number(2 ** -2), lanes.number(1)))
  const infinity = lanes.number(Infinity)
  const infinite = lanes.let(v128.and(f32x4.eq(sizes[0], infinity), f32x4.eq(sizes[1], infinity)))
  const [a, b] = sizes.map((size) =>
    lanes.let(lanes.select(infinite, lanes.number(1), f32x4.mul(size, scale))),
  ) as [Local<'v128'>, Local<'v128'>]
  const acute = lanes.let(angle(lanes, a, b))
  // The sign bit counts, also of a zero.
  const behind = i32x4.shr_s(x, 31)
  const turned = lanes.select(behind, f32x4.sub(lanes.number(Math.PI), acute), acute)
  return v128.or(turned, lanes.sign(y))
}
