// Weights as int8, with a scale for each output channel, and the bias as an integer of the products' own steps.
import { NDArray } from '@shoal/core'
import type { Steps } from './ranges.ts'

/** What a quantised layer multiplies by, adds, and scales its sums with. */
export interface QuantizedWeights {
  /** int8, output channels first. */
  readonly weights: NDArray<'int8'>
  /** int32 [outputs]: the bias in steps of `scale`, less what the zero point of the activations adds. */
  readonly offset: NDArray<'int32'>
  /** float32 [outputs] */
  readonly scale: NDArray<'float32'>
}

/** The greatest weight; -128 is left out, so that weights lie evenly around 0. */
const greatest = 127
/** Biases stay below this in steps, so that their sum with products fits 32 bits. */
const mostBias = 2 ** 28

/**
 * Quantises weights for activations of the given steps: each output channel by its largest weight.
 * @param values weights of any float dtype, output channels first or last
 * @param bias one number for each output channel; undefined for none
 */
export function quantizeWeights(
  values: NDArray,
  outputFirst: boolean,
  bias: NDArray | undefined,
  { scale: step, zeroPoint }: Steps,
): QuantizedWeights {
  const outputs = values.shape.at(outputFirst ? 0 : -1)!
  const length = values.size / outputs
  const [numbers, biases] = [values.numbers(), bias?.numbers()]
  const at = (o: number, i: number) => numbers[outputFirst ? o * length + i : i * outputs + o]!
  const weights = new Int8Array(values.size)
  const offset = new Int32Array(outputs)
  const scale = new Float32Array(outputs)
  for (let o = 0; o < outputs; o++) {
    let largest = 0
    for (let i = 0; i < length; i++) largest = Math.max(largest, Math.abs(at(o, i)))
    const added = biases?.[o] ?? 0
    // A bias that is huge beside its weights takes larger steps; weights of 0 need none of their own.
    const unit = Math.max(largest / greatest, Math.abs(added) / (mostBias * step)) || 1
    let sum = 0
    for (let i = 0; i < length; i++) sum += weights[o * length + i] = Math.round(at(o, i) / unit)
    scale[o] = unit * step
    offset[o] = Math.round(added / (unit * step)) - zeroPoint * sum
  }
  const rest = outputFirst ? values.shape.slice(1) : values.shape.slice(0, -1)
  return {
    weights: new NDArray('int8', [outputs, ...rest], weights),
    offset: new NDArray('int32', [outputs], offset),
    scale: new NDArray('float32', [outputs], scale),
  }
}
