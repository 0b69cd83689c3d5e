// What a trial comes to, as objectives tell it and as it is kept.
import { ValueError } from '@shoal/core'
import type { FloatDomain } from '../space/domain.ts'
import type { Space } from '../space/space.ts'
import type { Direction } from '../trial.ts'
import type { Ending } from './ledger.ts'

/** Which way to go: one direction, or one for each of several objectives. */
export type Goal = Direction | readonly Direction[]

/** What is measured of a trial: a number, or one for each direction. */
export type Score<G extends Goal> = G extends readonly Direction[]
  ? { readonly [K in keyof G]: number }
  : number

/** What a trial comes to, where that is more than its score. */
export interface Outcome<S extends Space, G extends Goal> {
  readonly value: Score<G>
  /** Each at most 0 where the trial keeps it; how far it is broken otherwise. All trials have as many. */
  readonly constraints?: readonly number[]
  /** The derivatives of the value by real parameters, as they are, not by their logarithms: for the gradient sampler. */
  readonly gradients?: { readonly [K in keyof S as S[K] extends FloatDomain ? K : never]?: number }
}

/** What an objective may answer. */
export type Told<S extends Space, G extends Goal> = Score<G> | Outcome<S, G>

const none = { constraints: [], gradients: {}, error: '' } as const

/** The end of a trial that failed. */
export const failure = (error: string): Ending => ({ ...none, state: 'failed', objectives: [], error })

/**
 * The end of a trial by what was told. Scores and constraints that are no finite numbers make it a failed one: runs that diverge are a part of searching.
 * @param stopped whether it had been told to stop, and so ends as pruned
 * @throws ValueError for another number of objectives than the study has, and for a gradient that is no number
 */
export function endingOf<S extends Space, G extends Goal>(
  told: Told<S, G>,
  directions: readonly Direction[],
  stopped: boolean,
): Ending {
  const outcome = isOutcome(told) ? told : { value: told as Score<G> }
  const objectives = [outcome.value].flat() as readonly number[]
  const { constraints = [], gradients = {} } = outcome
  if (objectives.length !== directions.length || objectives.some((value) => typeof value !== 'number'))
    throw new ValueError(
      `a trial was told ${JSON.stringify(told)}: the study wants ${directions.length} number(s), a value for each direction`,
    )
  const slope = Object.entries(gradients).find(([, value]) => !Number.isFinite(value))
  if (slope)
    throw new ValueError(
      `the gradient by '${slope[0]}' is ${String(slope[1])}: leave it out if there is none`,
    )
  if (![...objectives, ...constraints].every(Number.isFinite))
    return failure(`it came to ${[...objectives, ...constraints].join(', ')}`)
  const known = gradients as Readonly<Record<string, number>>
  return { state: stopped ? 'pruned' : 'complete', objectives, constraints, gradients: known, error: '' }
}

const isOutcome = <S extends Space, G extends Goal>(told: Told<S, G>): told is Outcome<S, G> =>
  typeof told === 'object' && told !== null && 'value' in told
