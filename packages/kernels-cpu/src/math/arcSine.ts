// Inverse sine and cosine: an odd polynomial up to ½, and beyond it the half-angle identity asin x = π/2 - 2 asin √((1 - x)/2).
import { f32x4, type Local, v128 } from '../wasm/index.ts'
import type { LaneFunction, Lanes } from './lanes.ts'

/** (asin s - s) / s³ in s² for s ≤ ½; coefficients of Cephes' asinf. */
const rest = [4.2163199048e-2, 2.4181311049e-2, 4.547002599e-2, 7.4953002686e-2, 1.6666752422e-1]

interface Halved {
  /** |x| > ½ */
  readonly beyond: Local<'v128'>
  /** asin |x| where |x| ≤ ½, asin √((1 - |x|)/2) beyond; NaN for |x| > 1. */
  readonly angle: Local<'v128'>
}

function halve(lanes: Lanes, x: Local<'v128'>): Halved {
  const size = lanes.let(lanes.abs(x))
  const beyond = lanes.let(f32x4.gt(size, lanes.number(0.5)))
  const halfAngle = f32x4.mul(f32x4.sub(lanes.number(1), size), lanes.number(0.5))
  const square = lanes.let(lanes.select(beyond, halfAngle, f32x4.mul(size, size)))
  const s = lanes.let(lanes.select(beyond, f32x4.sqrt(square), size))
  const angle = lanes.multiplyAdd(f32x4.mul(s, square), lanes.polynomial(square, rest), s)
  return { beyond, angle: lanes.let(angle) }
}

/** Inverse sine; NaN outside [-1, 1]. At most 2.5 ulp. */
export const asin: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const { beyond, angle } = halve(lanes, x)
  const far = lanes.multiplyAdd(angle, lanes.number(-2), lanes.number(Math.PI / 2))
  return v128.or(lanes.select(beyond, far, angle), lanes.sign(x))
}

/** Inverse cosine; NaN outside [-1, 1]. At most 2.5 ulp. */
export const acos: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const { beyond, angle } = halve(lanes, x)
  const signed = lanes.let(v128.xor(angle, lanes.sign(x)))
  // |x| ≤ ½: π/2 - asin x; x > ½: 2a; x < -½: π - 2a.
  const behind = f32x4.lt(x, lanes.number(0))
  const far = lanes.multiplyAdd(signed, lanes.number(2), v128.and(behind, lanes.number(Math.PI)))
  return lanes.select(beyond, far, f32x4.sub(lanes.number(Math.PI / 2), signed))
}
