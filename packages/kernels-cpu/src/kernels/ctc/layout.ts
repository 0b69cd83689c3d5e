// What the CTC kernel keeps for one sequence while it works on it, and where.
import type { ConcreteType, DType, Signature } from '@shoal/core'
import { dtypes } from '@shoal/core'

/** Sizes of a problem, and offsets into the memory of one sequence, in bytes. */
export interface Layout {
  readonly dtype: DType
  readonly time: number
  readonly batch: number
  readonly classes: number
  /** Labels of a sequence at most. */
  readonly places: number
  readonly blank: number
  readonly labels: ConcreteType
  readonly labelLengths: ConcreteType
  readonly inputLengths: ConcreteType
  /** Bytes from one step of a sequence to the next. */
  readonly stepBytes: number
  /** For every state its label, and whether it may be reached from two states before: two int32; then two states that cannot be. */
  readonly path: number
  /** For every step the logarithm of the sum of e^logit, and the sum of e^(logit - greatest): two float64. */
  readonly norms: number
  /** For every step the states' forward scores, float64, after two that are -Infinity. */
  readonly forward: number
  readonly forwardBytes: number
  /** The states' backward scores with those of their labels, float64, and two that are -Infinity. */
  readonly backward: number
  /** The share of every class in one step, float64. */
  readonly shares: number
  readonly bytes: number
}

/** Bytes of what the path keeps for a state, and of the norms of a step. */
export const stateBytes = 8
export const normBytes = 16

/** The layout for a signature. */
export function layoutOf({ inputs, attrs }: Signature): Layout {
  const [logits, labels, labelLengths, inputLengths] = inputs as readonly [
    ConcreteType,
    ConcreteType,
    ConcreteType,
    ConcreteType,
  ]
  const [time, batch, classes] = logits.shape as readonly [number, number, number]
  const places = labels.shape[1]!
  const padded = 2 * places + 3
  const forwardBytes = 8 * padded
  const norms = padded * stateBytes
  const forward = norms + time * normBytes
  const backward = forward + time * forwardBytes
  const shares = backward + 8 * padded
  return {
    dtype: logits.dtype,
    time,
    batch,
    classes,
    places,
    blank: Number(attrs['blank']),
    labels,
    labelLengths,
    inputLengths,
    stepBytes: batch * classes * dtypes[logits.dtype].bytes,
    path: 0,
    norms,
    forward,
    forwardBytes,
    backward,
    shares,
    bytes: Math.ceil((shares + 8 * classes) / 64) * 64,
  }
}
