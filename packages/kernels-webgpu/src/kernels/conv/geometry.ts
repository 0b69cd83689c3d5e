// A convolution as plain numbers: which elements of which tensor every window sees, forwards and backwards.
import type { ConvAttrs, QuantizedConvAttrs, Signature, Window } from '@shoal/core'
import { sizeOf, windowOf } from '@shoal/core'

/** The ops of this folder. */
export type ConvOp = 'Conv' | 'ConvBackpropInput' | 'ConvBackpropFilter' | 'QuantizedConv'

/** The sizes of a convolution, whichever of the ops it is. */
export interface Convolution {
  readonly batch: number
  readonly window: Window
  readonly groups: number
  /** Channels that a window sees, and channels that are made, in each group. */
  readonly seen: number
  readonly made: number
  /** What stands beside x. */
  readonly padding: number
  /** Elements of the filter from one tap, one channel that is seen and one that is made to the next. */
  readonly filter: { readonly tap: number; readonly seen: number; readonly made: number }
}

/** What a signature says. x and the filter are its first inputs, even where only their shapes are used. */
export function convolutionOf(op: ConvOp, { inputs, attrs }: Signature): Convolution {
  const [x, filter] = [inputs[0]!.shape, inputs[1]!.shape]
  const quantized = op === 'QuantizedConv'
  const { groups } = attrs as unknown as ConvAttrs
  const kernel = quantized ? filter.slice(1, -1) : filter.slice(0, -2)
  const [out, seen] = quantized ? [filter[0]!, filter.at(-1)!] : [filter.at(-1)!, filter.at(-2)!]
  return {
    batch: x[0]!,
    window: windowOf(x.slice(1, -1), kernel, attrs as unknown as ConvAttrs),
    groups,
    seen,
    made: out / groups,
    padding: quantized ? (attrs as unknown as QuantizedConvAttrs).zeroPoint : 0,
    filter: quantized
      ? { tap: seen, seen: 1, made: sizeOf(kernel) * seen }
      : { tap: seen * out, seen: out, made: 1 },
  }
}

/** Rows whose windows see the same taps. */
export interface Phase {
  readonly taps: number
  /** The first tap of the filter that is seen. */
  readonly first: number
  /** The element that the first tap of row 0 sees; it may lie in the padding. */
  readonly offset: number
}

/** A spatial axis of a walk. In a phase, tap `t` of row `r` sees element `r · step + t · dilation + offset`, if it is within `size`. */
export interface Axis {
  /** Elements of the tensor that windows see. */
  readonly size: number
  /** Rows of a phase, at most. */
  readonly rows: number
  readonly step: number
  readonly dilation: number
  /** Taps of the filter from one that is seen to the next. */
  readonly tapStep: number
  /** Row `r` of phase `p` stands at `r · spread + p`, if that is within `extent`. */
  readonly spread: number
  readonly extent: number
  readonly phases: readonly Phase[]
  /** Taps of the filter. */
  readonly kernel: number
}

/** Windows that walk over a tensor. */
export interface Walk {
  readonly batch: number
  readonly axes: readonly Axis[]
  /** Channels of the tensor, and those of each group. */
  readonly total: number
  readonly channels: number
}

/** The windows of a convolution over x: a row for each position of y. */
export function forwardWalk({ batch, window, groups, seen }: Convolution): Walk {
  const { input, kernel, output, strides, dilations, before } = window
  const axes = input.map(
    (size, axis): Axis => ({
      size,
      rows: output[axis]!,
      step: strides[axis]!,
      dilation: dilations[axis]!,
      tapStep: 1,
      spread: 1,
      extent: output[axis]!,
      phases: [{ taps: kernel[axis]!, first: 0, offset: -before[axis]! }],
      kernel: kernel[axis]!,
    }),
  )
  return { batch, axes, total: groups * seen, channels: seen }
}

/**
 * The windows of the gradient by x over y: a row for each position of x. Position `i` of x is seen by tap `t` of window `o` if
 * `i + before = o · stride + t · dilation`; positions that leave the same rest by the stride are a phase, and see the same taps.
 */
export function backwardWalk({ batch, window, groups, made }: Convolution): Walk {
  const { input, kernel, output, strides, dilations, before } = window
  const axes = input.map((extent, axis): Axis => {
    const [stride, dilation, taps] = [strides[axis]!, dilations[axis]!, kernel[axis]!]
    const common = greatestCommonDivisor(stride, dilation)
    const tapStep = stride / common
    const phases = Array.from({ length: Math.min(stride, extent) }, (_, phase): Phase => {
      const at = phase + before[axis]!
      for (let first = 0; first < Math.min(tapStep, taps); first++)
        if ((at - first * dilation) % stride === 0)
          return {
            first,
            taps: Math.ceil((taps - first) / tapStep),
            offset: (at - first * dilation) / stride,
          }
      return { first: 0, taps: 0, offset: 0 }
    })
    return {
      size: output[axis]!,
      rows: Math.ceil(extent / stride),
      step: 1,
      dilation: -dilation / common,
      tapStep,
      spread: stride,
      extent,
      phases,
      kernel: taps,
    }
  })
  return { batch, axes, total: groups * made, channels: made }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** Rows of a phase, over all images. */
export const rowsOf = ({ batch, axes }: Walk): number => batch * sizeOf(axes.map(({ rows }) => rows))
/** Phases, over all axes. */
export const phasesOf = ({ axes }: Walk): number => sizeOf(axes.map(({ phases }) => phases.length))
/** Taps that a window sees at most. */
export const tapsOf = ({ axes }: Walk): number =>
  sizeOf(axes.map(({ phases }) => Math.max(...phases.map(({ taps }) => taps))))

/** May a window see what lies beside the tensor? */
export function seesPadding({ size, rows, step, dilation, phases }: Axis): boolean {
  return phases.some(({ taps, offset }) => {
    const reach = (taps - 1) * dilation
    const [least, greatest] = [offset + Math.min(0, reach), offset + (rows - 1) * step + Math.max(0, reach)]
    return taps > 0 && (least < 0 || greatest >= size)
  })
}

/** Is every row a window of one element, the one where it stands? Then positions need not be taken apart. */
export const isPointwise = ({ axes }: Walk): boolean =>
  axes.every(
    (axis) =>
      axis.phases.length === 1 &&
      axis.phases[0]!.taps === 1 &&
      axis.phases[0]!.offset === 0 &&
      axis.step === 1 &&
      axis.rows === axis.size,
  )
