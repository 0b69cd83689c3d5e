// Sine, cosine and tangent: x = k·π/2 + r with |r| ≤ π/4, found in double precision, then a polynomial that the quadrant k chooses.
import { call, f32x4, f64x2, i32x4, type Local, type Value, v128 } from '../wasm/index.ts'
import { lanewise } from './lanewise.ts'
import type { LaneFunction, Lanes, Vector } from './lanes.ts'

/** Adding it to a float64 leaves the nearest integer in the low bits. */
const magic = 1.5 * 2 ** 52

/** π/2 in two parts; the first has 33 bits, so that its product with k below 2^20 is exact. */
const halfPiHigh = 1.57079632673412561417
const halfPiLow = 6.07710050650619224932e-11

/** Largest |x| for which k stays below 2^20. Beyond it the scalar function is called. */
const largest = 1.6e6

/** (sin r - r) / r³, (cos r - 1 + r²/2) / r⁴ and (tan r - r) / r³ in r²; coefficients of Cephes' sinf and tanf. */
const sineRest = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]
const cosineRest = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]
const tangentRest = [
  9.38540185543e-3, 3.11992232697e-3, 2.44301354525e-2, 5.34112807005e-2, 1.33387994085e-1, 3.33331568548e-1,
]

interface Reduced {
  readonly r: Local<'v128'>
  /** r² */
  readonly square: Local<'v128'>
  /** k as integers; its lowest two bits count. */
  readonly quadrant: Local<'v128'>
}

function reduce(lanes: Lanes, x: Local<'v128'>): Reduced {
  const { f } = lanes
  const double = (value: number) => f.constant(f64x2.const(value))
  const half = (pair: Value<'v128'>) => {
    const wide = lanes.let(f64x2.promote_low_f32x4(pair))
    const shifted = lanes.let(f64x2.add(f64x2.mul(wide, double(2 / Math.PI)), double(magic)))
    const k = lanes.let(f64x2.sub(shifted, double(magic)))
    const nearly = f64x2.sub(wide, f64x2.mul(k, double(halfPiHigh)))
    const r = f64x2.sub(nearly, f64x2.mul(k, double(halfPiLow)))
    return { r: lanes.let(f32x4.demote_f64x2_zero(r)), shifted }
  }
  const low = half(x)
  const high = half(v128.shuffle(x, x, [1, 1]))
  const r = lanes.let(v128.shuffle(low.r, high.r, [0, 2]))
  return {
    r,
    square: lanes.let(f32x4.mul(r, r)),
    quadrant: lanes.let(v128.shuffle(low.shifted, high.shifted, [0, 2, 4, 6])),
  }
}

/** The sine of r + k·π/2. */
function sineOf(lanes: Lanes, { r, square, quadrant }: Reduced): Vector {
  const sine = lanes.multiplyAdd(f32x4.mul(r, square), lanes.polynomial(square, sineRest), r)
  const head = lanes.multiplyAdd(square, lanes.number(-0.5), lanes.number(1))
  const cosine = lanes.multiplyAdd(f32x4.mul(square, square), lanes.polynomial(square, cosineRest), head)
  const odd = i32x4.shr_s(i32x4.shl(quadrant, 31), 31)
  const sign = i32x4.shl(v128.and(quadrant, lanes.bits(2)), 30)
  return v128.xor(lanes.select(odd, cosine, sine), sign)
}

/** Replaces the whole vector by scalar results when a lane is too large for the reduction. */
function orScalar(lanes: Lanes, name: string, x: Local<'v128'>, fast: Vector): Vector {
  const { f, module } = lanes
  const result = lanes.let(fast)
  const scalar = lanewise(module, module.importFunction('math', name, ['f64'], 'f64'), 'f32x4')
  const tooLarge = f32x4.gt(lanes.abs(x), lanes.number(largest))
  f.if(v128.any_true(tooLarge), () => f.set(result, lanes.select(tooLarge, call(scalar, x), result)))
  return result
}

/** Sine. At most 2 ulp for every argument; beyond ±1.6e6 by the imported `math.sin`. */
export const sin: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const result = sineOf(lanes, reduce(lanes, x))
  // The sum of the polynomial turns -0 into 0; so small an x is its own sine.
  const tiny = f32x4.lt(lanes.abs(x), lanes.number(2 ** -12))
  return orScalar(lanes, 'sin', x, lanes.select(tiny, x, result))
}

/** Cosine. At most 2 ulp for every argument; beyond ±1.6e6 by the imported `math.cos`. */
export const cos: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const reduced = reduce(lanes, x)
  const quadrant = lanes.let(i32x4.add(reduced.quadrant, lanes.bits(1)))
  return orScalar(lanes, 'cos', x, sineOf(lanes, { ...reduced, quadrant }))
}

/** Tangent. At most 3 ulp for every argument; beyond ±1.6e6 by the imported `math.tan`. */
export const tan: LaneFunction = (lanes, argument) => {
  const x = lanes.let(argument)
  const { r, square, quadrant } = reduce(lanes, x)
  const cube = f32x4.mul(r, square)
  const tangent = lanes.let(lanes.multiplyAdd(cube, lanes.polynomial(square, tangentRest), r))
  const odd = i32x4.shr_s(i32x4.shl(quadrant, 31), 31)
  const result = lanes.select(odd, f32x4.div(lanes.number(-1), tangent), tangent)
  const tiny = f32x4.lt(lanes.abs(x), lanes.number(2 ** -13))
  return orScalar(lanes, 'tan', x, lanes.select(tiny, x, result))
}
