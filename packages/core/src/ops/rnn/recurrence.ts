// One loop for all recurrent layers: a cell steps through a batch of sequences, and stands still where a sequence has ended.
import type { DType } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Dim } from '../../shape.ts'
import { formatShape } from '../../shape.ts'
import { expandDims } from '../array/expandDims.ts'
import { fill } from '../array/fill.ts'
import { iota } from '../array/iota.ts'
import { slice } from '../array/slice.ts'
import { transpose } from '../array/transpose.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { scan } from '../control/scan.ts'
import { matmul } from '../linalg/matmul.ts'
import { add } from '../math/add.ts'
import { less } from '../math/less.ts'
import { select } from '../math/select.ts'

/** The weights of a recurrent layer; the gates of a cell stand side by side in the last axis. */
export interface RecurrentWeights {
  /** From the input: [features, gates · units]. */
  readonly input: TensorLike
  /** From the state: [units, gates · units]. */
  readonly hidden: TensorLike
  /** Added to what comes from the input: [gates · units]. Default 0. */
  readonly bias?: TensorLike
  /** Added to what comes from the state: [gates · units]. Default 0. */
  readonly hiddenBias?: TensorLike
}

/** How a layer runs over sequences. */
export interface SequenceOptions {
  /** How many steps each sequence of the batch has, [batch]; after them the state stays and outputs are 0. Default: all. */
  readonly lengths?: TensorLike
  /** From the last step to the first; outputs stay at their steps. Default false. */
  readonly reverse?: boolean
  /** Is x [time, batch, features], and so the outputs? Default false: [batch, time, features]. */
  readonly timeMajor?: boolean
}

/** From one step's input (already times its weights) and state to the next state, whose first part is the step's output. */
export type Step = (projected: Tensor, state: readonly Tensor[]) => readonly Tensor[]

/** x · w + b; b may be left out. */
export function project(x: Tensor, w: TensorLike, b: TensorLike | undefined): Tensor {
  const product = matmul(x, toTensor(w, x.dtype))
  return b === undefined ? product : add(product, toTensor(b, x.dtype))
}

/** The number of units of a layer. @throws ShapeError when it is not known. */
export function unitsOf(weights: RecurrentWeights): number {
  const { shape } = toTensor(weights.hidden)
  const units = shape[0]
  if (shape.length !== 2 || typeof units !== 'number')
    throw new ShapeError(
      `the hidden weights ${formatShape(shape)} must be [units, gates · units] with known units`,
    )
  return units
}

/** Gate `k` of [batch, gates · units]. */
export const gate = (x: Tensor, k: number, units: number): Tensor =>
  slice(x, {
    begin: [...x.shape.slice(1).map(() => 0), k * units],
    size: [...x.shape.slice(1).map(() => -1), units],
  })

/** A state of zeros for the batch of x. */
export const zeroState = (batch: Dim, units: number, dtype: DType): Tensor =>
  fill({ shape: [batch, units], dtype })

/**
 * Runs a step over x, whose input weights are applied to all steps at once, in one product.
 * @param initial the state before the first step, each part [batch, units]; zeros where left out.
 * @returns outputs [batch, time, units] (or time-major) and the final state.
 */
export function recur(
  x: TensorLike,
  weights: RecurrentWeights,
  initial: readonly (TensorLike | undefined)[],
  { lengths, reverse = false, timeMajor = false }: SequenceOptions,
  step: Step,
): { outputs: Tensor; state: Tensor[] } {
  const given = toTensor(x)
  if (given.rank !== 3)
    throw new ShapeError(
      `sequences ${formatShape(given.shape)} must be ${timeMajor ? '[time, batch, features]' : '[batch, time, features]'}`,
    )
  const sequence = timeMajor ? given : transpose(given, { order: [1, 0, 2] })
  const [time, batch] = sequence.shape as readonly [Dim, Dim, Dim]
  const units = unitsOf(weights)
  const start = initial.map((part) =>
    part === undefined ? zeroState(batch, units, given.dtype) : toTensor(part, given.dtype),
  )
  const projected = project(sequence, weights.input, weights.bias)
  const ends = lengths === undefined ? undefined : expandDims(toTensor(lengths, 'int32'), { axis: -1 })
  const clock = ends && iota({ shape: [time], dtype: ends.dtype })
  const { state, results } = scan(
    (state, [row, now]) => {
      const next = step(row!, state)
      if (!ends) return [next, [next[0]!]]
      const running = less(now!, ends)
      return [next.map((part, i) => select(running, part, state[i]!)), [select(running, next[0]!, 0)]]
    },
    start,
    clock ? [projected, clock] : [projected],
    { reverse },
  )
  return { outputs: timeMajor ? results[0]! : transpose(results[0]!, { order: [1, 0, 2] }), state }
}
