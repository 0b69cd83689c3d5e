// What becomes of the outputs of an ensemble's members, as a graph.
import type { NDArray, Tensor } from '@shoal/core'
import { add, argMax, div, formatType, mul, oneHot, Variable } from '@shoal/core'
import { ModelError } from '../model/errors.ts'
import type { Stacking } from './stacking.ts'
import { stackedProbabilities } from './stacking.ts'

/** How members are combined. */
export type Combination =
  /** The mean of what they say: probabilities or numbers. */
  | { readonly combine: 'mean' }
  /**
   * For each class, the share of members that find it most probable, the lowest of several. Where two classes get the greatest share, a look for the
   * first of the greatest (`argMax`) finds the lower one.
   */
  | { readonly combine: 'vote' }
  /** A mean in which members count differently: a weight for each, at least 0, of which only the ratios matter. */
  | { readonly combine: 'weights'; readonly weights: readonly number[] }
  /** What a regression makes of their probabilities: see `learnStacking`. */
  | { readonly combine: 'stacking'; readonly stacking: Stacking }

/** A combined output, and the values of variables that it has brought along. */
export interface Combined {
  readonly output: Tensor
  readonly values: ReadonlyMap<string, NDArray>
}

/** Combines tensors of one type. @throws ModelError for what cannot be combined so. */
export function combined(members: readonly Tensor[], how: Combination): Combined {
  switch (how.combine) {
    case 'mean':
      return { output: div(total(members), members.length), values: new Map() }
    case 'vote':
      return { output: div(total(members.map(vote)), members.length), values: new Map() }
    case 'weights': {
      const shares = sharesOf(how.weights, members.length)
      return { output: total(members.map((member, i) => mul(member, shares[i]!))), values: new Map() }
    }
    case 'stacking':
      return stacked(members, how.stacking)
    default:
      how satisfies never
      throw new ModelError(
        `there is no way '${String((how as { combine?: unknown }).combine)}' to combine: use mean, vote, weights or stacking`,
      )
  }
}

const total = (tensors: readonly Tensor[]): Tensor => tensors.reduce((sum, tensor) => add(sum, tensor))

const vote = (member: Tensor): Tensor =>
  oneHot(argMax(member, { axis: -1 }), { depth: classesOf(member), dtype: member.dtype })

/** @throws ModelError unless the last axis has a known size. */
function classesOf({ type, rank }: Tensor): number {
  const classes = type.shape.at(-1)
  if (rank >= 2 && typeof classes === 'number') return classes
  throw new ModelError(
    `members say ${formatType(type)}: to vote or to stack they must give probabilities, [n, classes]`,
  )
}

function sharesOf(weights: readonly number[], count: number): number[] {
  const sum = weights.reduce((a, b) => a + b, 0)
  if (weights.length !== count)
    throw new ModelError(`there are ${weights.length} weights for ${count} members`)
  if (!weights.every((w) => w >= 0) || !(sum > 0 && sum < Infinity))
    throw new ModelError(
      `weights are [${weights.join(', ')}]; they must be numbers from 0, not all of them 0`,
    )
  return weights.map((w) => w / sum)
}

function stacked(members: readonly Tensor[], { weights, bias }: Stacking): Combined {
  const classes = classesOf(members[0]!)
  const wanted = `[${members.length * classes}, ${classes}]`
  if (`[${weights.shape.join(', ')}]` !== wanted || bias.shape.join() !== String(classes))
    throw new ModelError(
      `the stacking has weights ${formatType(weights)} and bias ${formatType(bias)}; ${members.length} members with ${classes} classes need float32${wanted}: learn it from the predictions of these members`,
    )
  const values = new Map([
    ['stacking/weights', weights],
    ['stacking/bias', bias],
  ])
  const [w, b] = Array.from(values, ([name, { dtype, shape }]) =>
    new Variable({ kind: 'variable', name, type: { dtype, shape }, trainable: true }).read(),
  )
  return { output: stackedProbabilities(members, w!, b!), values }
}
