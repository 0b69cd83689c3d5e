// The gradient by x as convolutions of dy. With a stride, elements of x fall into phases that see different taps of the filter; each is a convolution of stride 1.
import type { Signature } from '@shoal/core'
import { type Box, convolutionOf, each, elementOf, type Sliding, type Taps, volume } from './geometry.ts'

/** So many phases are written out; where there are more, zeros are put between the elements of dy. */
export const mostPhases = 16

/** One phase along one axis: elements place, place + stride, … of x. */
interface AxisPhase {
  readonly place: number
  readonly count: number
  /** Taps of the filter that it sees, so that their windows go upwards, and steps between those. */
  readonly taps: Taps
  readonly dilation: number
  /** The first window that the first element sees; may be negative. */
  readonly origin: number
}

/** How the gradient by x is computed: phases over one box that they share. */
export function backwardPhases(signature: Signature): readonly Sliding[] {
  const all = convolutionOf('ConvBackpropInput', signature)
  const { input, kernel, output, strides, dilations, before, groups, seen, made } = all
  const spread: Box = volume(strides) > mostPhases ? strides : [1, 1, 1]
  const phases = each((a) =>
    phasesOf(input[a]!, kernel[a]!, strides[a]! / spread[a]!, dilations[a]!, before[a]!),
  )
  // The box reaches over all windows that any phase sees.
  const lows = each((a) => Math.min(...phases[a]!.map(({ origin }) => origin)))
  const reach = each((a) => Math.max(...phases[a]!.map((phase) => endOf(phase) - lows[a]!)))
  const border = {
    batch: all.batch,
    channels: groups * made,
    image: output,
    box: reach,
    first: each((a) => -lows[a]!),
    spread,
  }
  return phases[0].flatMap((depth) =>
    phases[1].flatMap((height) =>
      phases[2].map((width): Sliding => {
        const axes = [depth, height, width] as const
        return {
          border,
          kernel: each((a) => axes[a]!.taps.count),
          stride: [1, 1, 1],
          dilation: each((a) => axes[a]!.dilation),
          output: each((a) => axes[a]!.count),
          groups,
          seen: made,
          made: seen,
          ...elementOf(signature.outputs[0]!.dtype),
          origin: each((a) => axes[a]!.origin - lows[a]!),
          answer: input,
          place: each((a) => axes[a]!.place),
          step: each((a) => strides[a]! / spread[a]!),
          filter: kernel,
          taps: [depth.taps, height.taps, width.taps],
        }
      }),
    ),
  )
}

/** Element i of x is seen by window (i + before - tap · dilation) / stride, where that is whole. */
function phasesOf(
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
  before: number,
): AxisPhase[] {
  return Array.from({ length: Math.min(stride, size) }, (_, place): AxisPhase => {
    const seen = Array.from({ length: kernel }, (_, tap) => tap).filter(
      (tap) => (place + before - tap * dilation) % stride === 0,
    )
    const [first = 0, second = first + stride] = seen
    const last = seen.at(-1) ?? first
    return {
      place,
      count: Math.ceil((size - place) / stride),
      taps: { first: last, step: first - second, count: seen.length },
      dilation: ((second - first) * dilation) / stride,
      origin: seen.length > 0 ? (place + before - last * dilation) / stride : 0,
    }
  })
}

const endOf = ({ origin, count, taps, dilation }: AxisPhase): number =>
  origin + count + Math.max(0, taps.count - 1) * dilation
