// CTC by forward and backward recursion over the labels with blanks between them, in logarithms.
import type { CtcAttrs } from '../../ops/loss/ctcLoss.ts'
import type { ReferenceKernels } from '../kernel.ts'
import { onNumbers } from '../kernel.ts'

/** CtcLoss: loss and gradient, following Graves et al., Connectionist Temporal Classification, 2006, sections 4.1 and 4.2. */
export const ctcKernels: ReferenceKernels = {
  CtcLoss: onNumbers(([logits, labels, labelLengths, inputLengths], [loss, gradient], signature) => {
    const [time, batch, classes] = signature.inputs[0]!.shape as [number, number, number]
    const places = signature.inputs[1]!.shape[1]!
    const { blank } = signature.attrs as unknown as CtcAttrs
    for (let n = 0; n < batch; n++) {
      const steps = clamp(inputLengths![n]!, time)
      const row = (t: number): number => (t * batch + n) * classes
      const logP = Array.from({ length: steps }, (_, t) =>
        logSoftmax(logits!.subarray(row(t), row(t) + classes)),
      )
      const path = withBlanks(
        labels!.subarray(n * places, n * places + clamp(labelLengths![n]!, places)),
        blank,
      )
      const { total, occupancy } = align(logP, path, classes)
      loss![n] = -total
      if (total === -Infinity) continue
      // d loss / d logit = softmax - the expected share of the class at this step.
      logP.forEach((scores, t) =>
        scores.forEach((s, c) => (gradient![row(t) + c] = Math.exp(s) - occupancy[t]![c]!)),
      )
    }
  }),
}

/** A length that is at least 0 and at most so many. */
const clamp = (length: number, most: number): number => Math.max(0, Math.min(most, length))

/** Blank, label, blank, label, …, blank. */
const withBlanks = (labels: Float64Array, blank: number): number[] => [
  blank,
  ...Array.from(labels).flatMap((label) => [label, blank]),
]

/** The logarithm of the probability of the path, and at each step the share of each class in it. */
function align(
  logP: readonly Float64Array[],
  path: readonly number[],
  classes: number,
): { total: number; occupancy: Float64Array[] } {
  const [steps, states] = [logP.length, path.length]
  // An empty sequence reads exactly the empty labelling.
  if (steps === 0) return { total: states === 1 ? 0 : -Infinity, occupancy: [] }
  // A state may be skipped if it is a blank between two different labels.
  const mayJump = path.map((label, s) => s >= 2 && label !== path[0] && label !== path[s - 2])
  const forward = logP.map(() => new Float64Array(states).fill(-Infinity))
  const backward = logP.map(() => new Float64Array(states).fill(-Infinity))
  for (let t = 0; t < steps; t++)
    for (let s = 0; s < states; s++) {
      const before =
        t === 0
          ? s < 2
            ? 0
            : -Infinity
          : reach(forward[t - 1]!, [s, s - 1], mayJump[s]! ? s - 2 : undefined)
      forward[t]![s] = before + logP[t]![path[s]!]!
    }
  for (let t = steps - 1; t >= 0; t--)
    for (let s = 0; s < states; s++)
      backward[t]![s] =
        t === steps - 1
          ? s >= states - 2
            ? 0
            : -Infinity
          : reach(
              backward[t + 1]!.map((b, next) => b + logP[t + 1]![path[next]!]!),
              [s, s + 1],
              mayJump[s + 2] ? s + 2 : undefined,
            )
  const total = logSumExp([forward[steps - 1]![states - 1]!, forward[steps - 1]![states - 2] ?? -Infinity])
  const occupancy = logP.map((_, t) => {
    const share = new Float64Array(classes)
    path.forEach((label, s) => {
      const through = forward[t]![s]! + backward[t]![s]!
      // No path goes through a state of -Infinity, not even where the total is NaN.
      if (through !== -Infinity) share[label]! += Math.exp(through - total)
    })
    return share
  })
  return { total, occupancy }
}

const reach = (from: Float64Array, states: readonly number[], jump: number | undefined): number =>
  logSumExp((jump === undefined ? states : [...states, jump]).map((s) => from[s] ?? -Infinity))

function logSumExp(values: readonly number[]): number {
  const top = Math.max(...values)
  return top === -Infinity ? top : top + Math.log(values.reduce((sum, x) => sum + Math.exp(x - top), 0))
}

function logSoftmax(scores: Float64Array): Float64Array {
  const total = logSumExp(Array.from(scores))
  return scores.map((x) => x - total)
}
