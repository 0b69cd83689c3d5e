// Random numbers that are new in every run: the stateless functions on a key that the session draws.
import type { Tensor } from '../../graph/graph.ts'
import type { Shape } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { randomKey } from './randomKey.ts'
import type { IntDraw, NormalDraw, UniformDraw } from './stateless.ts'
import {
  statelessBernoulli,
  statelessCategorical,
  statelessInt,
  statelessNormal,
  statelessShuffle,
  statelessTruncatedNormal,
  statelessUniform,
} from './stateless.ts'

/** What every random convenience takes. */
export interface Seeded {
  /** Streams with one seed draw the same; left out: each has its own. */
  readonly seed?: number
}
type Given<T> = Omit<T, 'shape'> & Seeded

/** Uniform numbers in [low, high), by default [0, 1), new in every run. */
export const randomUniform = (shape: Shape, { seed, ...draw }: Given<UniformDraw> = {}): Tensor =>
  statelessUniform(randomKey({ seed }), { shape, ...draw })
/** Normally distributed numbers, by default with mean 0 and deviation 1, new in every run. */
export const randomNormal = (shape: Shape, { seed, ...draw }: Given<NormalDraw> = {}): Tensor =>
  statelessNormal(randomKey({ seed }), { shape, ...draw })
/** Normally distributed numbers within two deviations of the mean, new in every run. */
export const truncatedNormal = (shape: Shape, { seed, ...draw }: Given<NormalDraw> = {}): Tensor =>
  statelessTruncatedNormal(randomKey({ seed }), { shape, ...draw })
/** Whole numbers in [low, high), new in every run. */
export const randomInt = (shape: Shape, { seed, ...draw }: Given<IntDraw>): Tensor =>
  statelessInt(randomKey({ seed }), { shape, ...draw })
/** true with probability p (default a half), new in every run. */
export const randomBernoulli = (
  shape: Shape,
  { seed, ...draw }: { readonly p?: number } & Seeded = {},
): Tensor => statelessBernoulli(randomKey({ seed }), { shape, ...draw })
/** The rows of x in an order that is new in every run. */
export const randomShuffle = (x: TensorLike, { seed }: Seeded = {}): Tensor =>
  statelessShuffle(randomKey({ seed }), x)
/** Classes drawn with the probabilities softmax(logits), [..., classes] → int32 [..., count], new in every run. */
export const categorical = (
  logits: TensorLike,
  { seed, ...draw }: { readonly count?: number } & Seeded = {},
): Tensor => statelessCategorical(randomKey({ seed }), logits, draw)
/** @see categorical */
export const multinomial = categorical
