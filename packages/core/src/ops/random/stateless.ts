// Random numbers as functions of a key: the same key, the same numbers, on every device and in every run.
import type { DType } from '../../dtype.ts'
import { AttrError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import type { Shape } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { constant, toTensor } from '../constant.ts'
import { gather } from '../array/gather.ts'
import { sortWithIndices } from '../array/sort.ts'
import { add } from '../math/add.ts'
import { cast } from '../math/cast.ts'
import { cos } from '../math/cos.ts'
import { erfinv } from '../math/erfinv.ts'
import { expandDims } from '../array/expandDims.ts'
import { floorMod } from '../math/floorMod.ts'
import { less } from '../math/less.ts'
import { log } from '../math/log.ts'
import { log1p } from '../math/log1p.ts'
import { mul } from '../math/mul.ts'
import { neg } from '../math/neg.ts'
import { rightShift } from '../math/rightShift.ts'
import { sqrt } from '../math/sqrt.ts'
import { argMax } from '../reduce/argMax.ts'
import { randomBits } from './randomBits.ts'

/** What is drawn; sizes may be names. */
export interface Draw {
  readonly shape: Shape
  /** Default float32. */
  readonly dtype?: DType
}
/** A uniform distribution. */
export interface UniformDraw extends Draw {
  /** Default 0. */
  readonly low?: number
  /** Default 1. */
  readonly high?: number
}
/** A normal distribution. */
export interface NormalDraw extends Draw {
  /** Default 0. */
  readonly mean?: number
  /** The standard deviation. Default 1. */
  readonly deviation?: number
}
/** A uniform distribution of whole numbers. */
export interface IntDraw {
  readonly shape: Shape
  /** Default 0. */
  readonly low?: number
  /** One more than the greatest. */
  readonly high: number
  /** Default int32. */
  readonly dtype?: DType
}

/** How many random bits a number in [0, 1) of a dtype can hold; those of float64 come from one word, too. */
const bitsOf: Partial<Record<DType, number>> = { float64: 32, float32: 24, float16: 11, bfloat16: 8 }

/** The middles of 2^bits equal parts of [0, 1) when `centred`, else their beginnings. */
function unit(key: Tensor, { shape, dtype = 'float32' }: Draw, { word = 0, centred = false } = {}): Tensor {
  const bits = bitsOf[dtype]
  if (bits === undefined)
    throw new AttrError(`cannot draw fractions in ${dtype}: use float32, float64, float16 or bfloat16`)
  // Half precision has no bit left for the middle of a part.
  const kept = centred && bits < 32 ? bits - 1 : bits
  const words = randomBits(key, { shape, word })
  const whole = cast(kept === 32 ? words : rightShift(words, constant(32 - kept, 'uint32')), { to: dtype })
  return mul(centred ? add(whole, 0.5) : whole, 2 ** -kept)
}

const keyOf = (key: TensorLike): Tensor => toTensor(key, 'uint32')

/** Uniform numbers in [low, high), up to rounding. */
export const statelessUniform = (key: TensorLike, { low = 0, high = 1, ...draw }: UniformDraw): Tensor =>
  scope('uniform', () => {
    const u = unit(keyOf(key), draw)
    return low === 0 && high === 1 ? u : add(mul(u, high - low), low)
  })

/** Normally distributed numbers, by the method of Box and Muller; 16-bit floats are drawn in float32. */
export const statelessNormal = (
  key: TensorLike,
  { mean = 0, deviation = 1, shape, dtype = 'float32' }: NormalDraw,
): Tensor =>
  scope('normal', () => {
    const wide = { shape, dtype: dtype === 'float64' ? dtype : ('float32' as const) }
    const radius = sqrt(mul(log1p(neg(unit(keyOf(key), wide))), -2))
    const angle = mul(unit(keyOf(key), wide, { word: 1 }), 2 * Math.PI)
    return cast(shifted(mul(radius, cos(angle)), mean, deviation), { to: dtype })
  })

// The probability that a standard normal number lies within two deviations: erf(√2).
const withinTwo = 0.9544997361036416

/** Normally distributed numbers within two standard deviations of the mean, by the inverse of the distribution; 16-bit floats are drawn in float32. */
export const statelessTruncatedNormal = (
  key: TensorLike,
  { mean = 0, deviation = 1, shape, dtype = 'float32' }: NormalDraw,
): Tensor =>
  scope('truncatedNormal', () => {
    const u = unit(keyOf(key), { shape, dtype: dtype === 'float64' ? dtype : 'float32' }, { centred: true })
    return cast(shifted(mul(erfinv(mul(add(mul(u, 2), -1), withinTwo)), Math.SQRT2), mean, deviation), {
      to: dtype,
    })
  })

const shifted = (x: Tensor, mean: number, deviation: number): Tensor => add(mul(x, deviation), mean)

/** Whole numbers in [low, high). Where high - low is no power of two, some are more likely than others by (high - low) / 2^32 at most. */
export function statelessInt(key: TensorLike, { shape, low = 0, high, dtype = 'int32' }: IntDraw): Tensor {
  const count = high - low
  if (!Number.isInteger(low) || !(count >= 1 && count <= 2 ** 32))
    throw new AttrError(`statelessInt: [${low}, ${high}) must hold 1 to 2^32 whole numbers`)
  return scope('int', () => {
    const words = randomBits(keyOf(key), { shape })
    const within = count === 2 ** 32 ? words : floorMod(words, constant(count, 'uint32'))
    return add(cast(within, { to: dtype }), constant(low, dtype))
  })
}

/** true with probability p (default a half). */
export const statelessBernoulli = (
  key: TensorLike,
  { p = 0.5, shape }: { readonly shape: Shape; readonly p?: number },
): Tensor => scope('bernoulli', () => less(unit(keyOf(key), { shape }), p))

/**
 * Classes drawn with the probabilities softmax(logits): logits [..., classes] → int32 [..., count].
 * The greatest logit after noise wins: Gumbel's way, without any sum.
 * @param options.count how many for each row; default 1.
 */
export const statelessCategorical = (
  key: TensorLike,
  logits: TensorLike,
  { count = 1 }: { readonly count?: number } = {},
): Tensor =>
  scope('categorical', () => {
    const scores = toTensor(logits)
    const u = unit(
      keyOf(key),
      { shape: [...scores.shape.slice(0, -1), count, scores.shape.at(-1)!], dtype: scores.dtype },
      { centred: true },
    )
    return argMax(add(expandDims(scores, { axis: -2 }), neg(log(neg(log(u))))), { axis: -1 })
  })

/** The rows of x in a random order. */
export const statelessShuffle = (key: TensorLike, x: TensorLike): Tensor =>
  scope('shuffle', () => {
    const rows = toTensor(x)
    const [, order] = sortWithIndices(randomBits(keyOf(key), { shape: [rows.shape[0]!] }))
    return gather(rows, order)
  })
